"""`python -m tf1hub`: the same as the command `tf1hub`."""

from tf1hub.cli.main import main

if __name__ == "__main__":
    main()
