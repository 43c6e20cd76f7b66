"""All cases. Importing this registers them."""

import importlib
import pkgutil

from tests.checks.linting.cases.registry import CASES as CASES

for _each in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_each.name}")
