"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import dupdetect

MODULES = sorted(path.stem for path in Path(dupdetect.__file__).parent.glob("*.py") if path.stem != "__main__")


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = dupdetect if name == "__init__" else importlib.import_module(f"dupdetect.{name}")
    assert doctest.testmod(module).failed == 0
