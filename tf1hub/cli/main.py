"""The command `tf1hub`: finds the file of the command that is run, and turns errors into messages and exit statuses.

    0    nothing to complain about
    1    a finding: a fault, a difference
    2    bad usage, or something that cannot be read or written
    130  stopped with Ctrl-C

A command's file is imported when it is run, so that `--help`, and commands that need little, start at once.
"""

import importlib
import io
import os
import sys
from typing import NoReturn

import click

import tf1hub
from tf1hub.errors import Tf1HubError

_COMMANDS = {
    "show": ("show", "Show what a module holds, and how it is applied."),
    "verify": ("verify", "Check every byte of a module that can be checked."),
    "lint": ("lint", "Tell what the users of a module would trip over."),
    "diff": ("diff", "Tell what differs between two modules."),
    "weights": ("weights", "Take a module's variables out, or put others in."),
    "convert": ("convert", "Convert to a TF2 SavedModel, or from a TF1 one (needs TensorFlow)."),
    "apply": ("apply", "Run a module on inputs (needs TensorFlow)."),
    "text-embedding": ("text_embedding", "Make a module of an embedding file."),
}
_UNUSABLE = 2
_STOPPED = 130


class _Commands(click.Group):
    """Commands by name, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"tf1hub.cli.{_COMMANDS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(tf1hub.__version__, prog_name="tf1hub")
def commands() -> None:
    """Look into, check, compare, run and make modules of the TF1 Hub format.

    \b
    tf1hub show my_module              what is in it
    tf1hub verify my_module            is it whole
    tf1hub lint my_module              is it easy to reuse and to fine-tune
    tf1hub show --help                 more about a command
    """


def run(arguments: list[str]) -> int:
    """Runs a command line; returns its exit status. Errors become one message on standard error."""
    _escape_what_cannot_be_encoded()
    try:
        status = commands.main(arguments, prog_name="tf1hub", standalone_mode=False)
        if sys.stdout:  # None when it is closed
            sys.stdout.flush()
        return int(status or 0)
    except click.ClickException as error:
        error.show()
        return _UNUSABLE
    except (KeyboardInterrupt, click.Abort):
        _complain("stopped")
        return _STOPPED
    except (BrokenPipeError, SystemExit):  # Whoever reads our output has seen enough. click exits then, and only then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Tf1HubError as error:
        _complain(str(error))
        return _UNUSABLE
    except OSError as error:
        _complain(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
        return _UNUSABLE
    except MemoryError:
        _complain("out of memory")
        return _UNUSABLE
    except Exception as error:
        if os.environ.get("TF1HUB_TRACEBACK"):
            raise
        _complain(
            f"internal error: {type(error).__name__}: {error}\n"
            "This is a fault of tf1hub, please report it; with TF1HUB_TRACEBACK=1 set it shows where it happened."
        )
        return _UNUSABLE


def _escape_what_cannot_be_encoded() -> None:
    """Names from files may hold letters that the encoding of a terminal or pipe lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _complain(message: str) -> None:
    click.echo(f"tf1hub: {message}", err=True)


def main() -> NoReturn:
    """Runs the command line of this process."""
    sys.exit(run(sys.argv[1:]))
