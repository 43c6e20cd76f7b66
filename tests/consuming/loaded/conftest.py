"""The tests here work eagerly, where a loaded module is at home; those of graphs make their own."""

import pytest


@pytest.fixture(autouse=True)
def graph():
    """Takes the place of the fixture of the tests of `hub.Module`, which makes a graph for each."""
