"""Settings files: what is written comes back, and what cannot be is refused by file and name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupdetect import OutputError, Settings, SettingsError, dedup
from dupdetect.cli import main as cli

WRONG = {
    "tresholdd = 0.8": "unknown setting tresholdd (did you mean threshold?); the settings are shingle_size",
    "threshold = 1.5": "threshold is 1.5; expected a number above 0 and up to 1",
    'threshold = "0.8"': "threshold is '0.8'; expected a number",
    "shingle_size = 5.0": "shingle_size is 5.0; expected a whole number",
    "bands = [3]": "bands is",
    "bands = [16, 9]": "bands is 16 bands of 9 rows",
    'canonical = "best"': "canonical is 'best'; expected one of",
    "threshold": "this is no TOML",
    '{"threshold": 0.8}': "this is no TOML",
}


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    settings = Settings(threshold=0.43, bands=(16, 8), canonical="earliest", canonical_column='a "date"\x7f\u2028é')
    settings.save(tmp_path / "s.toml", comment="found on Monday\n\nby hand")
    assert Settings.load(tmp_path / "s.toml") == settings
    lines = (tmp_path / "s.toml").read_text(encoding="utf-8").splitlines()
    assert lines[:4] == ["# found on Monday", "#", "# by hand", "shingle_size = 5"]
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


@given(
    threshold=st.floats(0, 1, exclude_min=True),
    seed=st.integers(0, 2**32 - 1),
    column=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
)
def test_any_value_survives(
    tmp_path_factory: pytest.TempPathFactory, threshold: float, seed: int, column: str | None
) -> None:
    path = tmp_path_factory.mktemp("settings") / "s.toml"
    settings = Settings(threshold=threshold, seed=seed, canonical="priority", canonical_column=column)
    settings.save(path)
    assert Settings.load(path) == settings
    assert Settings.load(path).fingerprint == settings.fingerprint


def test_what_a_file_leaves_out_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("\ufeff# mine\nthreshold = 0.5\n", encoding="utf-8")
    assert Settings.load(tmp_path / "s.toml") == Settings(threshold=0.5)


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        Settings.load(path)
    assert str(caught.value).startswith(f"{path}: {WRONG[text]}")
    assert cli.main(["dedup", "in.jsonl", "-o", str(tmp_path / "out"), "--settings", str(path)]) == 2


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing.toml: the settings cannot be read: No such file"):
        Settings.load(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b"canonical_column = '\xe9'")
    with pytest.raises(SettingsError, match=r"latin.toml: this is no TOML .*utf-8"):
        Settings.load(tmp_path / "latin.toml")


def test_what_cannot_be_saved_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("seed = 7\n")
    with pytest.raises(SettingsError, match="canonical is the callable builtins:len, which a file cannot hold"):
        Settings(canonical=len).save(path)
    assert path.read_text() == "seed = 7\n"
    with pytest.raises(OutputError, match="cannot be written"):
        Settings().save(tmp_path / "no" / "s.toml")
    with pytest.raises(OutputError, match="cannot be written"):
        Settings().save(path / "s.toml")


def test_options_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    Settings(shingle_size=3, threshold=0.5, canonical="earliest", canonical_column="day").save(file)
    data = tmp_path / "in.jsonl"
    data.write_text('{"text": "one two three four", "day": 2}\n{"text": "one two three five", "day": 1}\n')

    def used(*options: str) -> dict[str, object]:
        out = tmp_path / "out"
        arguments = ["dedup", str(data), "-o", str(out), "--overwrite", "-q", "--settings", str(file), *options]
        assert cli.main(arguments) == 0
        settings: dict[str, object] = json.loads((out / "manifest.json").read_text())["settings"]
        return settings

    assert used() == Settings.load(file).as_dict()
    assert used("--threshold", "0.8") == Settings.load(file).replace(threshold=0.8).as_dict()  # the default, but given
    assert used("--canonical", "longest") == Settings(shingle_size=3, threshold=0.5, canonical="longest").as_dict()
    assert dedup(data, settings=Settings.load(file)).manifest["settings"] == used()


def test_compare_takes_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "s.toml"
    Settings(shingle_size=1, threshold=0.6).save(file)
    for name, text in (("a", "one two three four"), ("b", "one two three five")):
        (tmp_path / name).write_text(text)
    assert cli.main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--json", "--settings", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["relation"] == "near_duplicate"
