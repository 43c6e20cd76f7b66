"""tensorflow_hub 0.15.0 and this project timed in turn; `python -m benchmarks --help` tells more."""
