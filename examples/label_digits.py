"""Labels pictures of digits with an image module: each as the digit whose examples have the most similar features.

    .venv/bin/python examples/label_digits.py MODULE ...

MODULE is the directory of a module, such as image_classifier_estimator.py exports. Nothing else of the program that made
it is needed here. With several modules, such as the first one and the tuned one, it shows which of them does better.
"""

import argparse
from pathlib import Path

import numpy as np
from terminal import loading_tensorflow, say

with loading_tensorflow():
    from digits import SECOND, Examples, make_task

    import tf1hub as hub


def label_images(module: str, known: Examples, images: np.ndarray) -> np.ndarray:
    """A label for each image: the one whose known images have the nearest mean of features."""
    with hub.eval_function_for_module(module) as features_of:
        known_features, features = features_of(known.images), features_of(images)
    means = np.stack([known_features[known.labels == label].mean(axis=0) for label in range(len(SECOND))])
    return np.linalg.norm(features[:, np.newaxis] - means, axis=2).argmin(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", metavar="MODULE", nargs="+", help="the directory of an image module")
    modules = parser.parse_args().modules
    if missing := [module for module in modules if not Path(module).is_dir()]:
        parser.error(f"there is no directory {missing[0]!r}")
    known, unknown = make_task(SECOND, train=100)
    for module in modules:
        answers = label_images(module, known, unknown.images)
        say(f"{module}: {np.mean(answers == unknown.labels):.1%} of {len(answers)} pictures are labelled right")


if __name__ == "__main__":
    main()
