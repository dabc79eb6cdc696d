"""An input that is changed while it is read is an error; one that grows is said."""

import json

import pytest

import dupdetect
from dupdetect.cli.main import main
from dupdetect.errors import InputError
from dupdetect.pipeline import dedup as driver

ROWS = "".join(json.dumps({"id": at, "text": f"the text number {at}"}) + "\n" for at in range(20))


@pytest.fixture
def meanwhile(monkeypatch):
    """Do something after the input was read and before the run ends."""

    def set_(what):
        decided = driver.decide
        monkeypatch.setattr(driver, "decide", lambda *given: what() or decided(*given))

    return set_


@pytest.mark.parametrize("how", ["cut", "rewritten", "removed"])
def test_an_input_that_is_changed_is_an_error(tmp_path, meanwhile, capsys, how):
    path = tmp_path / "a.jsonl"
    path.write_text(ROWS)

    def change():
        if how == "removed":
            path.unlink()
        else:
            path.write_text(ROWS[:200] if how == "cut" else ROWS.replace("text", "TEXT"))

    meanwhile(change)
    assert main(["dedup", str(path), "-o", str(tmp_path / "out"), "-q"]) == 1
    assert "a.jsonl: was changed while it was read" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_input_that_grows_is_said(tmp_path, meanwhile):
    path = tmp_path / "a.jsonl"
    path.write_text(ROWS)
    meanwhile(lambda: path.write_text(ROWS + ROWS[:30]) * 0)
    with pytest.warns(UserWarning, match=r"a\.jsonl has grown while it was read"):
        dupdetect.dedup(path)


def test_what_is_in_memory_does_not_change():
    assert len(dupdetect.dedup(["a text"]).clusters) == 1


def test_an_input_that_is_gone_is_one_sentence(tmp_path):
    with pytest.raises(InputError):
        dupdetect.dedup(tmp_path / "none.jsonl")
