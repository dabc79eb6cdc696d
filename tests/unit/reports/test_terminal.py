from __future__ import annotations

import io
import re
import unicodedata

import pytest
from rich.console import Console

from dupdetect.matching.compare import compare
from dupdetect.reports.marked_texts import Marker
from dupdetect.reports.terminal import CHANGED, OWN, SHARED, Side, order, show

STORY = (
    "The lock keeper counted nine barges before noon, and none of them carried coal any more, only tourists. "
    "“They wave,” he said, “and I wave back.”"
)
MENU = "Home\nNews\nSport\nWeather\nContact\n"


def shown(a: str, b: str, *, width: int = 80, colours: bool = False, view: str = "auto", full: bool = False) -> str:
    out = io.StringIO()
    system = "standard" if colours else None
    console = Console(file=out, width=width, force_terminal=colours, color_system=system, _environ={})
    marker = Marker()
    sides = (Side.of(name, text, marker.boilerplate(text)) for name, text in (("one.txt", a), ("two.txt", b)))
    show(console, *sides, compare(a, b).aligned, view=view, full=full)
    return out.getvalue()


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_woven_changed_words_stand_beside_each_other() -> None:
    told = STORY.replace("nine", "ten").replace("of them ", "").replace("coal", "brown coal")
    assert shown(STORY, told).splitlines() == [
        "< one.txt",
        "> two.txt",
        "── passage 1: 22 words, similarity 0.85 ──",
        "= The lock keeper counted [-nine-]{+ten+} barges before noon, and none [-of them",
        "= carried-]{+carried brown+} coal any more, only tourists. “They wave,” he said,",
        "= “and I wave back.”",
    ]


def test_side_by_side_each_passage_stands_beside_its_other_self() -> None:
    page = f"{MENU}Ferries are late again today.\n{STORY}\nImprint\n"
    lines = shown(STORY, page, width=100).splitlines()
    assert lines[0] == f"{'one.txt':<48}   two.txt"
    assert [line[49:50] for line in lines[1:7]] == ["~", "~", "~", "~", ">", ">"]
    assert lines[7] == "── passage 1: 26 words ──"
    assert all(line[49] == "=" and line[:48].strip() == line[51:].strip() for line in lines[8:-1])
    assert lines[-1].endswith("> Imprint")


def test_what_is_shared_is_coloured_what_differs_marked_and_boilerplate_grey() -> None:
    page = f"{MENU}{STORY.replace('nine', 'ten')}"
    lines = shown(STORY, page, width=100, colours=True)
    assert "\x1b[32mThe lock keeper" in lines
    assert "\x1b[1;9;31mnine\x1b[0m" in lines
    assert "\x1b[1;4;33mten\x1b[0m" in lines
    assert "\x1b[90mHome\x1b[0m" in lines
    assert "[-" not in lines


def test_a_wide_terminal_shows_them_side_by_side_unless_told_otherwise() -> None:
    assert shown(STORY, STORY, width=120) == shown(STORY, STORY, width=120, view="side")
    assert shown(STORY, STORY, width=90) == shown(STORY, STORY, width=90, view="unified")
    assert shown(STORY, STORY, width=120, view="unified").startswith("< one.txt\n> two.txt\n")
    assert shown(STORY, STORY, view="none") == ""


@pytest.mark.parametrize("width", [20, 60, 120])
def test_long_pieces_are_folded_unless_all_is_wanted(width: int) -> None:
    own = " ".join(f"word{n}" for n in range(2000))
    a, b = f"{STORY}\n{own}", f"{own.replace('word', 'other')}\n{STORY}"
    folded, full = (shown(a, b, width=width, full=full) for full in (False, True))
    assert "characters ···" in re.sub(r"\s+", " ", folded)
    assert "word1000" not in folded
    assert "···" not in full
    assert all(f"word{n}" in full and f"other{n}" in full for n in range(2000))
    assert len(folded.splitlines()) < 200


def test_folds_say_how_much_is_not_shown() -> None:
    a = "x " * 5000
    text = shown(f"{STORY}\n{a}", STORY)
    (hidden,) = re.findall(r"··· ([\d,]+) characters ···", text)
    assert int(hidden.replace(",", "")) + sum(line.count("x") * 2 for line in text.splitlines()[-9:]) >= 9_900


@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("view", ["side", "unified"])
@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
        "\u202egnp.exe \u2066hidden\u2069 \u061c",
        "[bold]markup[/bold] [link=https://example.org]here[/link] :smile: [/]",
        "a\rb\bc\x7fd\x00e\u2028f\u2029g",
        "\ufeff\u200b\u00ad\U000e0041 tags",
        "<script>alert(1)</script> & \\[red]",
    ],
)
def test_nothing_in_a_text_drives_the_terminal(text: str, view: str, colours: bool) -> None:
    for a, b in ((f"{text} {STORY}", f"{STORY} {text}"), (STORY.replace("nine", text), STORY)):
        out = plain(shown(a, b, width=110, view=view, colours=colours))
        assert not [c for c in out if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    if "bold" in text:
        assert "[bold]markup[/bold]" in out


@pytest.mark.parametrize(
    "text",
    [
        "清晨的江面上起了大雾渡船晚了一个小时才靠岸乘客们在甲板上喝着热茶等待天亮",
        "朝の川には深い霧が立ちこめて渡し船は一時間も遅れ乗客は甲板で熱いお茶を飲んでいた",
        "เช้าวันนั้นหมอกลงจัดเหนือแม่น้ำและเรือข้ามฟากมาช้าหนึ่งชั่วโมงผู้โดยสารจึงดื่มชา",
        "في الصباح كان الضباب كثيفا فوق النهر وتأخرت العبارة ساعة كاملة وشرب الركاب الشاي",
        "सुबह नदी पर घना कोहरा था और नाव एक घंटे देर से पहुँची तब तक यात्री चाय पीते रहे",
        "Утром над рекой стоял туман и паром опоздал на целый час а пассажиры пили чай",
        "👩‍👩‍👧 over the river 🚢 and the ferry ☕ came an hour late 😀 while all drank tea",
    ],
)
@pytest.mark.parametrize("width", [40, 120])
def test_lines_fit_in_any_script(text: str, width: int) -> None:
    from rich.cells import cell_len

    lines = shown(f"{text} {text[:9]}", f"1 {text}", width=width).splitlines()
    assert all(cell_len(line) <= width for line in lines)
    joined = "".join(line[2:] for line in lines)
    assert text[:6] in joined


@pytest.mark.parametrize(("a", "b"), [("", ""), ("", "one"), ("one", ""), ("...", "😀"), ("one", "two")])
def test_little_text_is_shown_as_it_is(a: str, b: str) -> None:
    lines = shown(a, b).splitlines()
    assert lines == ["< one.txt", "> two.txt", *(f"< {a}" for _ in range(bool(a))), *(f"> {b}" for _ in range(bool(b)))]


def test_blocks_hold_all_of_both_texts_once() -> None:
    one, two, three = (" ".join(f"{name}{n}" for n in range(20)) for name in "abc")
    a, b = f"x {one} y {two} z {three}.", f"{three} p {one} q ({two}) r"
    sides = Side.of("a", a), Side.of("b", b)
    found = order(*sides, compare(a, b).aligned)
    for side, text in zip(range(2), (a, b), strict=True):
        pieces = sorted(piece for block in found for piece in block[side] if piece.start < piece.end)
        assert [piece.start for piece in pieces] == [0, *(piece.end for piece in pieces[:-1])]
        assert pieces[-1].end == len(text)
    roles = [piece.role for block in found for piece in block.a]
    assert set(roles) <= {OWN, SHARED, CHANGED}
    assert a[found[-2].a[-1].start : found[-2].a[-1].end] == f"{three}."


def test_where_colours_are_not_wanted_signs_stand_for_them() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True, _environ={"NO_COLOR": "1", "TERM": "xterm-256color"})
    told = STORY.replace("nine", "ten")
    show(console, Side.of("a", STORY), Side.of("b", told), compare(STORY, told).aligned)
    assert "[-nine-]{+ten+}" in plain(out.getvalue())
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", out.getvalue())
