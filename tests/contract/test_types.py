"""mypy reads the library as a user's mypy would."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api


def test_users_see_these_types(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    out, err, code = api.run(["--config-file", "pyproject.toml", "tests/contract/typed_usage.py"])
    assert code == 0, out + err
