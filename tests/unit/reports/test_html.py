"""Pages made of runs: what they say, what they leave out, what they refuse, and that nothing in them becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hostile import write_run

import dupdetect
from dupdetect.cli.main import command
from dupdetect.errors import InputError, OutputError
from dupdetect.reports import html as reporting
from dupdetect.reports import listing
from dupdetect.reports import texts as excerpts
from dupdetect.reports.html import page, report
from dupdetect.results.run import Run
from dupdetect.text.escape import escape_for_page

STORY = (
    "The lock keeper at Oberfurt says that the old gate will be replaced before the spring floods, and that barges "
    "will have to wait at the lower basin until the divers have looked at every hinge. Until then the ferry takes "
    "whoever has to cross, and the keeper makes tea for those who have missed it."
)
TEXTS = {
    "north/story": STORY,
    "north/page": f"Home\nNews\nSport\nTides\n\n{STORY}\n\nMore about barges\nMore about locks",
    "south/edited": STORY.replace("old gate", "rusty gate"),
    "south/other": "A cheesemaker in the upper valley has bought the disused tunnel and will let wheels ripen there.",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the input and the output of a run."""
    place = tmp_path_factory.mktemp("run")
    for name, text in TEXTS.items():
        (place / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "in" / f"{name}.txt").write_text(text, encoding="utf-8")
    dupdetect.dedup(place / "in", threshold=0.6).write(place / "out")
    return place


class Page(HTMLParser):
    """What a page consists of: its elements, their attributes, what it says, and its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[tuple[str, str]] = set()
        self.scripts: dict[str, str] = {}
        self.policy, self.says, self._inside, self._id = "", "", "", ""
        self.feed(html)
        self.close()
        self.says = " ".join(self.says.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {(tag, name) for name, _ in attrs}
        given = dict(attrs)
        self.policy = given["content"] or "" if given.get("http-equiv") else self.policy
        self._inside, self._id = tag, given.get("id") or tag

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.scripts[self._id] = self.scripts.get(self._id, "") + data
        else:
            self.says += data + " "

    @property
    def data(self) -> dict[str, Any]:
        return {name: json.loads(text) for name, text in self.scripts.items() if "-" in name}


def of(html: str) -> Page:
    return Page(html)


def pairs(found: Page) -> list[Any]:
    return [block for name, block in found.data.items() if name.startswith("pair-")]


def test_a_report_stands_in_the_folder_of_its_run_and_reads_the_input_again(place: Path) -> None:
    written = report(place / "out")
    assert written == place / "out" / "report.html"
    found = of(written.read_text(encoding="utf-8"))
    assert "4 kept 2 removed as copies 2 50.0 %" in found.says
    assert "near duplicate 2 50.0 %" in found.says
    assert "contains it 0 0.0 %" in found.says
    assert "source (from id )" in found.says
    assert "north 2 1 50.0 %" in found.says
    assert len(pairs(found)) == 2
    assert all("".join(text for _, _, text in canonical) == STORY for canonical, _, _ in pairs(found))


def test_the_largest_losses_are_listed(place: Path) -> None:
    found = of(page(place / "out"))
    rows = dupdetect.dedup(place / "in", threshold=0.6).clusters.to_pylist()
    lost = sorted((row for row in rows if row["lost"]), key=lambda row: -row["lost"])
    assert lost
    assert "Largest losses" in found.says
    for row in lost:
        assert f"{row['id']} {row['cluster']} {row['lost']} {row['lost_share']:.1%}".replace("%", " %") in found.says
    assert sorted(found.data["data-documents"]["lost"])[-1] == lost[0]["lost"]
    assert "Largest losses" not in of(page(dupdetect.dedup(["one text", "another"]))).says


def test_where_the_input_is_gone_the_page_says_so_and_shows_what_was_kept(place: Path, tmp_path: Path) -> None:
    manifest = json.loads((place / "out" / "manifest.json").read_text(encoding="utf-8"))
    moved = tmp_path / "out"
    shutil.copytree(place / "out", moved)
    (moved / "manifest.json").write_text(json.dumps(manifest | {"inputs": ["gone.txt"]}), encoding="utf-8")
    found = of(page(moved))
    assert "Texts of removed documents are not shown" in found.says
    assert [(len(canonical) > 0, member) for canonical, member, _ in pairs(found)] == [(True, [])]
    assert STORY[:60] in " ".join(found.data["data-documents"]["opening"])
    assert len(pairs(of(page(moved, place / "in")))) == 2


def test_results_in_memory_have_reports_too(tmp_path: Path) -> None:
    table = pa.table({"url": ["https://a.example/1", "https://b.example:80/2", "https://a.example/3"],
                      "body": [STORY, STORY, "Another text."]})  # fmt: skip
    result = dupdetect.dedup(table, text="body", id="url")
    written = report(result, tmp_path / "page.html", table, text="body", id="url", by="url")
    found = of(written.read_text(encoding="utf-8"))
    assert "a.example 2 0 0.0 %" in found.says
    assert "b.example 1 1 100.0 %" in found.says
    assert len(pairs(found)) == 1
    assert of(page(result, text="body")).data["data-documents"]["opening"][0].startswith("The lock keeper")


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_each_format_of_an_output_is_read(place: Path, tmp_path: Path, format: str) -> None:
    dupdetect.dedup([TEXTS["north/story"], TEXTS["south/edited"], "  "], threshold=0.6).write(
        tmp_path / "out", format=format
    )
    found = of(page(tmp_path / "out"))
    assert "3 kept 2 removed as copies 1" in found.says
    assert found.data["data-documents"]["id"] == ["0", "1", "2"]


def test_an_empty_run_has_a_page(tmp_path: Path) -> None:
    dupdetect.dedup([]).write(tmp_path / "out")
    found = of(page(tmp_path / "out"))
    assert "documents 0" in found.says
    assert found.data["data-documents"]["id"] == []


def test_rejects_and_digests_are_listed(root: Path, tmp_path: Path) -> None:
    chosen = [root / "fixtures" / "newsroom" / "en" / f"{name}.txt" for name in ("article", "family_1", "roundup")]
    chosen += [root / "fixtures" / "newsroom" / "en" / f"other_story_{number}.txt" for number in (1, 2)]
    rows = [{"id": path.stem, "text": path.read_text(encoding="utf-8")} for path in chosen] + [{"id": "no text"}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    dupdetect.dedup(tmp_path / "rows.jsonl").write(tmp_path / "out")
    found = of(page(tmp_path / "out"))
    (digest, contents), = found.data["data-digests"]["rows"]  # fmt: skip
    assert (digest, len(contents)) == ("roundup", 4)
    (file, row, reason), = found.data["data-rejects"]["rows"]  # fmt: skip
    assert (Path(file).name, row) == ("rows.jsonl", 6)
    assert "null" in reason


def test_what_a_page_has_no_room_for_it_says(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing.Listing.choose.__func__, "__defaults__", (3, 1_000))
    monkeypatch.setattr(excerpts.pairs, "__defaults__", (1,))
    found = of(page(place / "out"))
    assert "This page lists 3 of 4 documents" in found.says
    assert "1 of 2 copies are shown" in found.says
    assert len(pairs(found)) == 1
    monkeypatch.setattr(reporting, "PAIR_BYTES", 100)
    assert pairs(of(page(place / "out"))) == []


# ---- what is refused ----


def test_what_is_no_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="nope: there is no such folder; expected the output folder of dedup, or an ind"
    ):
        report(tmp_path / "nope")
    with pytest.raises(InputError, match=r"manifest\.json: there is no such file; expected the output folder of dedup"):
        report(tmp_path)
    with pytest.raises(InputError, match="a list was given for the output"):
        report([], tmp_path / "page.html")
    (tmp_path / "manifest.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="holds a list, expected an object"):
        report(tmp_path)
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        report(tmp_path)


def test_the_input_of_another_run_is_refused(place: Path) -> None:
    with pytest.raises(InputError, match=r"no document of the input \('x' is the first\) is in the output"):
        page(place / "out", {"x": "something else"})
    with pytest.raises(InputError, match="there is no column 'owner'"):
        page(place / "out", by="owner", data=place / "in")


def test_what_is_not_installed_is_named_with_how_to_install_it(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dupdetect.reports.pages.find_spec", lambda _: None)
    with pytest.raises(OutputError, match=r"needs? jinja2.*python -m pip install 'dupdetect\[report\]'"):
        report(place / "out", tmp_path / "page.html")


def test_a_file_is_written_whole_or_not_at_all(place: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"page\.html: there is no folder .*no folder; make it"):
        report(place / "out", tmp_path / "no folder" / "page.html")
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OutputError, match=r"page\.html: is a folder; name a file in it"):
        report(place / "out", tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_command_says_what_it_wrote(place: Path, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    arguments = ["report", str(place / "out"), "-o", str(target), "--input", str(place / "in")]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert re.fullmatch(rf"{re.escape(str(target))}: \d+\.\d MB\n", done.output)
    assert target.stat().st_size > 10_000


@pytest.mark.parametrize("held", ['{"id": "a", "text": "Прилив в семь утра."}\n', "潮の朝七時\n", "<a>", "\0"])
def test_a_page_takes_the_place_of_a_page_alone(place: Path, tmp_path: Path, held: str) -> None:
    """What was named by mistake, such as the input, was replaced."""
    file = tmp_path / "tides"
    file.write_text(held, encoding="utf-8")
    with pytest.raises(OutputError, match="this file is there and is no page; name another file"):
        report(place / "out", file)
    assert file.read_text(encoding="utf-8") == held
    file.write_bytes(b"")
    assert report(place / "out", file).read_bytes() == report(place / "out", file).read_bytes()


def test_jinja_is_imported_when_it_is_needed() -> None:
    code = "import dupdetect.reports.html, sys; print([x for x in ('jinja2',) if x in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# ---- nothing of the corpus becomes markup ----


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give a page that is made of nothing but attacks."""
    return page(write_run(tmp_path_factory.mktemp("hostile") / "<b>out", 60))


def test_hostile_texts_add_no_element_and_no_attribute(hostile_page: str, place: Path) -> None:
    harmless, found = of(page(place / "out")), of(hostile_page)
    assert set(found.tags) <= set(harmless.tags) | {"li", "ul"}
    assert found.attributes <= harmless.attributes | {("p", "class")}
    assert not {name for _, name in found.attributes if name.startswith("on") or name in ("style", "src")}
    once = ("html", "head", "body", "title", "style", "main", "nav", "form", "input", "iframe", "meta", "section")
    assert {tag: found.tags[tag] for tag in once} == {tag: harmless.tags[tag] for tag in once}
    assert found.tags["script"] == len(found.data) + 1


def test_data_of_hostile_texts_are_what_they_were(hostile_page: str) -> None:
    found = of(hostile_page)
    assert not re.search("<script[^>]*>[^<]*<(?!/script>)", "".join(re.findall('<script type="[^"]*".*', hostile_page)))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", hostile_page)
    ids = found.data["data-documents"]["id"]
    assert len(ids) == len(set(ids)) == 120
    assert any("</script><script>window.hit=2</script>" in id for id in ids)
    assert any("\\u202egnp.exe" in id for id in ids)


def test_the_policy_lets_the_one_script_and_the_one_style_run(hostile_page: str) -> None:
    found = of(hostile_page)
    rules = dict(rule.strip().split(" ", 1) for rule in found.policy.split(";"))
    assert rules["default-src"] == "'none'"
    for kind, text in (("script-src", found.scripts["script"]), ("style-src", found.scripts["style"])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[kind] == f"'sha256-{digest}'"
    assert "unsafe" not in found.policy


def test_lone_surrogates_are_spelled_out() -> None:
    table = pa.table({"id": ["a", "b"], "text": [STORY, STORY]})
    result = dupdetect.dedup(table)
    result.manifest["inputs"] = ["bad\ud800name"]
    html = page(result, table)
    html.encode()
    assert escape_for_page("bad\ud800name") == "bad\\ud800name"
    assert "bad\\ud800name" in html


def test_the_module_is_not_the_function() -> None:
    assert callable(dupdetect.report)
    assert "dupdetect.report" not in sys.modules


def test_a_page_lists_all_members_of_a_cluster_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(dupdetect.dedup([*[STORY] * 30, "Маяк молчит.", "灯台は静かだ。", *["ตลาดปลาจะย้าย"] * 12]))
    assert len(listing.Listing.choose(run, most=100, members=5)) == 44
    some = listing.Listing.choose(run, most=20, members=5)
    assert len(some) == 20
    counts = np.bincount(some.of)
    assert sorted(counts[counts > 0].tolist(), reverse=True) == [13, 5, 1, 1]  # five of each, and then the largest
    assert (np.diff(some.of) >= 0).all()  # members follow their canonical, as the page's script has it
    assert len(listing.Listing.choose(run, most=7, members=5)) == 7


def test_where_room_is_short_long_parts_are_not_in_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"Wort{number}" for number in range(3_000))
    given = {"a": text, "b": f"{text} am Ende", "c": STORY, "d": STORY.upper()}
    result = dupdetect.dedup(given)
    whole = max(pairs(of(page(result, given))), key=lambda pair: len(str(pair)))
    assert all("Wort2000 " in "".join(text for _, _, text in side) for side in whole[:2])
    monkeypatch.setattr(reporting, "FOLDED_BYTES", 10_000)
    short = pairs(of(page(result, given)))
    assert len(short) == 2
    assert not any("Wort2000 " in str(pair) for pair in short)
