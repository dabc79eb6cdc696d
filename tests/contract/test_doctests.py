"""The examples in docstrings are true, in every module of every package."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import dupdetect

ROOT = Path(dupdetect.__file__).parent
MODULES = sorted(
    ".".join(["dupdetect", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")
    for path in ROOT.rglob("*.py")
    if path.stem != "__main__"
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_modules_of_packages_are_among_them() -> None:
    assert {"dupdetect", "dupdetect.cli.main", "dupdetect.text.words"} <= set(MODULES)
