"""What the modules of all tests of lint have in common."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def usual_permissions() -> Iterator[None]:
    """New files can be read by others, whatever the user's settings are: else every module would break `file-permissions`."""
    before = os.umask(0o022)
    yield
    os.umask(before)
