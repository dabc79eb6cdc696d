from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest

import dupdetect
from dupdetect.cli import scorecards
from dupdetect.cli.main import main
from dupdetect.cli.scorecards import Card, Cards
from dupdetect.errors import OutputError

FOUND = {1234567: "a", 2: "a", 3: "a", 4: "d"}
TRUE = {1234567: 1, 2: 1, 3: 2, 4: 2, 5: 2}


class Reader(HTMLParser):
    """Reads cells, checks that tags close, and collects what would be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [name for name, _ in attrs if name in ("src", "href")]
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(data.strip())


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader


def test_a_page_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    scorecards.write_page(tmp_path / "p.html", "A & B", scorecards.evaluation_cards(dupdetect.evaluate(FOUND, TRUE)))
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    reader = read(page)
    assert not reader.loaded
    assert "A & B" in reader.text
    assert {"How right", "Worst clusters", "Missed", "0.3333"} <= set(reader.text)
    assert any("1 documents that are only in the truth, such as 5" in text for text in reader.text)
    style = page[page.index("<style>") + 7 : page.index("</style>")]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in page  # the policy names it
    assert "script-src" not in page
    assert " style=" not in page


def test_nothing_in_an_id_is_taken_for_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = Card("t", "", ("id", "n"), [("<script>alert(1)</script> [bold]\x1b[31m", 1)])
    scorecards.write_page(tmp_path / "page.html", "t", Cards("", [card], ["<b>note"]))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "<b>" not in page
    assert list(tmp_path.iterdir()) == [tmp_path / "page.html"]
    scorecards.print_cards(Cards("", [card], []))
    out = capsys.readouterr().out
    assert "[bold]" in out
    assert "\x1b[31m" not in out


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OutputError, match=r"page\.html: cannot be written"):
        scorecards.write_page(tmp_path / "page.html", "t", Cards("", [], []))
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_what_is_not_installed_is_named_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dupdetect.reports.pages.find_spec", lambda _: None)
    assert main(["evaluate", "no such folder", "--truth", "truth.csv", "--html", "page.html"]) == 1
    assert "page.html: pages need jinja2" in (err := capsys.readouterr().err)
    assert "python -m pip install 'dupdetect[report]'" in err


def test_ids_are_no_figures(capsys: pytest.CaptureFixture[str]) -> None:
    scorecards.print_cards(scorecards.evaluation_cards(dupdetect.evaluate(FOUND, TRUE)))
    out = capsys.readouterr().out
    assert "1234567" in out
    assert "1,234,567" not in out
    assert "0.3333   0.5000   0.4000" in out


def test_cards_without_rows_are_left_out() -> None:
    _, cards, notes = scorecards.evaluation_cards(dupdetect.evaluate({"a": "a"}, {"a": 1}))
    assert [card.title for card in cards] == ["How right"]
    assert not notes


def test_pairs_as_the_truth_have_no_recall_by_size() -> None:
    evaluation = dupdetect.evaluate({"a": "a", "b": "a", "c": "c"}, pa.table({"a": ["a"], "b": ["b"]}))
    _, cards, _ = scorecards.evaluation_cards(evaluation)
    (size,) = next(card for card in cards if card.title == "By size of cluster").rows
    assert size == ("2", 1, 1, 1.0, None, None, None)


def test_an_audit_shows_interval_and_misses(capsys: pytest.CaptureFixture[str]) -> None:
    texts = {"a": "one two three", "b": "one two three", "c": "other words than these"}
    scorecards.print_cards(scorecards.audit_cards(dupdetect.audit(dupdetect.dedup(texts), texts)))
    out = capsys.readouterr().out
    assert "3 of 3 documents compared with all others; 2 have matches" in out
    assert "95% interval" in out
    assert "Misses" not in out
