"""Searches docstrings of the standard library with a text module: which sentences are near to what you ask?

    .venv/bin/python examples/search_docstrings.py MODULE ... --question TEXT

MODULE is the directory of a module, such as text_classifier_estimator.py exports. Nothing else of the program that made
it is needed here. With several modules, such as the first one and the tuned one, it shows what each of them finds.
"""

import argparse
from pathlib import Path

import numpy as np
from terminal import loading_tensorflow, say

with loading_tensorflow():
    from docstrings import PACKAGES, Examples, make_task

    import tf1hub as hub


def unit_vectors(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def search(module: str, question: str, examples: Examples) -> None:
    """Prints what is nearest to the question, and how often the sentence nearest to another is of its package."""
    sentences = [sentence for sentence, _ in examples]
    packages = np.array([package for _, package in examples])
    with hub.eval_function_for_module(module) as embed:
        vectors = unit_vectors(embed([*sentences, question]))
    nearness = vectors[:-1] @ vectors.T[:, :-1]
    np.fill_diagonal(nearness, -1)  # no sentence is its own neighbour
    same = np.mean(packages[nearness.argmax(axis=1)] == packages)
    say(f"{module}: for {same:.1%} of {len(sentences)} sentences the nearest one comes from the same package")
    say(f"  nearest to {question!r}:")
    for i in np.argsort(-vectors[:-1] @ vectors[-1])[:3]:
        say(f"    {PACKAGES[packages[i]]:9} {sentences[i]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", metavar="MODULE", nargs="+", help="the directory of a text module")
    parser.add_argument("--question", metavar="TEXT", default="wait until a task is done", help="what to search for")
    options = parser.parse_args()
    if missing := [module for module in options.modules if not Path(module).is_dir()]:
        parser.error(f"there is no directory {missing[0]!r}")
    _, unseen = make_task(most=400)
    for module in options.modules:
        search(module, options.question, unseen)


if __name__ == "__main__":
    main()
