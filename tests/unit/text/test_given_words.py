"""Words of one's own: a tokenizer in Python, or texts that are lists of words."""

from __future__ import annotations

import json
from contextlib import nullcontext
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dupdetect
from dupdetect import Settings, SettingsError
from dupdetect.errors import InputError, MismatchError
from dupdetect.text.clean import clean
from dupdetect.text.given_words import cut, join, shown, spell
from dupdetect.text.words import words

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda word: word.strip("\r\n"))

#: A story, and the same with a sign that no word of the library's own has.
STORY = [
    "der",
    "Kran",
    "hob",
    "das",
    "Rohr",
    "C++",
    "über",
    "den",
    "Fluß",
    "und",
    "der",
    "Wind",
    "trieb",
    "es",
    "gegen",
    "den",
    "Pfeiler",
    "bis",
    "alle",
    "Seile",
    "rissen",
]
OTHER = [word.replace("C++", "C#") for word in STORY]


def by_blanks(line: str) -> list[str]:
    return line.split()


def by_commas(line: str) -> list[str]:
    return line.split(",")


@given(st.lists(WORDS))
def test_a_text_is_cut_into_exactly_the_words_that_are_given(given: list[str]) -> None:
    text = join(given)
    assert clean(text) == text
    assert words(text) == [spell(word) for word in given]
    assert len(words(text)) == len(given)


@given(WORDS, WORDS)
def test_words_are_spelled_alike_only_if_they_are_alike(one: str, other: str) -> None:
    assert (spell(one) == spell(other)) == (one == other)


@pytest.mark.parametrize(("one", "other"), [("_41_", "A"), ("a", "A"), ("ﬁ", "fi"), ("e\u0301", "é"), ("東", "東京")])
def test_words_that_folding_would_make_alike_stay_apart(one: str, other: str) -> None:
    assert spell(one) != spell(other)


def test_a_callable_cuts_line_by_line() -> None:
    assert cut("C++ ist\nnicht C", by_blanks) == "_43__2b__2b_ ist\nnicht _43_"
    assert shown(cut("C++ ist\nnicht C", by_blanks)) == "C++ ist\nnicht C"


@pytest.mark.parametrize("as_rows", [False, True])
def test_lists_of_words_are_told_apart_by_what_only_they_see(as_rows: bool) -> None:
    lists = [STORY, OTHER, STORY]
    data = [{"id": at, "text": each} for at, each in enumerate(lists)] if as_rows else lists
    result = dupdetect.dedup(data, words="blanks")
    assert result.clusters["relation"].to_pylist()[2] == "identical"
    assert result.clusters["relation"].to_pylist()[1] != "identical"
    plain = dupdetect.dedup([" ".join(each).replace("+", "").replace("#", "") for each in lists])
    assert plain.clusters["relation"].to_pylist()[1] == "identical"


def test_a_tokenizer_finds_what_its_lists_find() -> None:
    cut_there = dupdetect.dedup([" ".join(each) for each in (STORY, OTHER, STORY)], words=by_blanks)
    cut_before = dupdetect.dedup([STORY, OTHER, STORY], words="blanks")
    assert cut_there.matches.equals(cut_before.matches)
    assert cut_there.manifest["settings"]["words"] == f"{__name__}:by_blanks"
    assert cut_before.manifest["settings"]["words"] == "blanks"


def test_tokens_are_words(tmp_path) -> None:
    tokens = list(range(100, 180))
    table = pa.table({"id": ["a", "b", "c"], "tokens": [tokens, tokens[:], list(range(80))]})
    pq.write_table(table, tmp_path / "in.parquet")
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    for name in ("in.parquet", "in.jsonl"):
        result = dupdetect.dedup(tmp_path / name, text="tokens", words="gpt2")
        assert result.clusters["cluster"].to_pylist() == ["a", "a", "c"]
        assert result.kept["tokens"].to_pylist() == [tokens, list(range(80))]
        result.write(tmp_path / f"out-{name}")
    assert (tmp_path / "out-in.jsonl" / "kept.jsonl").read_text().count("\n") == 2


def test_earlier_outputs_must_be_of_the_same_tokenizer(tmp_path) -> None:
    text = " ".join(STORY)
    dupdetect.dedup({"a": text}, words=by_blanks, sketches=True).write(tmp_path / "one")
    dupdetect.dedup({"a": text}, words=by_blanks).write(tmp_path / "two")
    for before in ("one", "two"):
        with nullcontext() if before == "one" else pytest.warns(UserWarning, match="sketched again"):
            again = dupdetect.dedup({"b": text}, words=by_blanks, against=tmp_path / before)
        assert again.clusters["cluster"].to_pylist() == ["a"]
        for other in (by_commas, None):
            with pytest.raises(MismatchError, match=r"words.*by_blanks"):
                dupdetect.dedup({"b": text}, words=other, against=tmp_path / before)


def test_stages_and_comparisons_take_words() -> None:
    settings = Settings(words=by_blanks)
    texts = [" ".join(STORY), " ".join(OTHER)]
    sketches = dupdetect.sketch(texts, settings=settings)
    assert sketches.words.tolist() == [len(STORY)] * 2
    matches = dupdetect.verify(pa.table({"a": [0], "b": [1]}), texts, settings=settings, threshold=0.3)
    assert matches["relation"].to_pylist() == ["near_duplicate"]
    jaccard = dupdetect.compare(*texts, settings=settings).jaccard
    shingles = [set(pairwise(pairwise(pairwise(pairwise(each))))) for each in (STORY, OTHER)]
    assert jaccard == len(shingles[0] & shingles[1]) / len(shingles[0] | shingles[1])
    found = dupdetect.compare(STORY, OTHER, words="blanks")
    assert found.jaccard == jaccard
    assert "C++" in found.compared.a
    with pytest.raises(MismatchError, match="words"):
        sketches.jaccard(dupdetect.sketch(texts))


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (3, "a function with a name of its own"),
        ("", "the name of what cut the lists"),
        (lambda line: line.split(), "with a name of its own"),
    ],
)
def test_what_is_no_tokenizer_is_refused(value: object, part: str) -> None:
    with pytest.raises(SettingsError, match=part):
        Settings(words=value)


def test_words_are_not_cut_into_characters() -> None:
    with pytest.raises(SettingsError, match="leave one of the two out"):
        Settings(words=by_blanks, unit="character")


@pytest.mark.parametrize(
    ("data", "words", "part"),
    [
        (["a text"], "blanks", "no row could be used.*expected a list of words"),
        ([["a", "list"]], None, "no row could be used"),
        (pa.table({"text": ["a text"]}), "blanks", "let words be a callable"),
        (pa.table({"text": [["a", "list"]]}), None, "say by words='NAME'"),
        (["a text"], len, "expected an iterable of str"),
        ([["a", None], ["b", 1.5]], "blanks", "NoneType among its words.*float among its words"),
        (pa.table({"text": [["a", None]]}), "blanks", "null among its words"),
    ],
)
def test_texts_that_are_not_what_words_says_are_refused(data: object, words: object, part: str) -> None:
    with pytest.raises(InputError, match=part):
        dupdetect.dedup(data, words=words)


def test_what_cuts_texts_itself_takes_no_words(tmp_path, capsys) -> None:
    from dupdetect.cli.main import main

    with pytest.raises(SettingsError, match="an index cuts texts into words itself"):
        dupdetect.Index(tmp_path / "index.sqlite", words=by_blanks)
    (tmp_path / "settings.toml").write_text('words = "blanks"\n')
    (tmp_path / "in.jsonl").write_text('{"text": "one"}\n')
    line = ["dedup", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out"), "--settings"]
    assert main([*line, str(tmp_path / "settings.toml")]) == 2
    assert "the command line" in capsys.readouterr().err
    assert main([*line[:-1], "--words", "blanks"]) == 2
    assert "in Python" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_report_shows_the_words_as_they_were_given(tmp_path) -> None:
    table = pa.table({"id": ["a", "b"], "text": [STORY, STORY]})
    pq.write_table(table, tmp_path / "in.parquet")
    dupdetect.dedup(tmp_path / "in.parquet", words="blanks").write(tmp_path / "out")
    dupdetect.report(tmp_path / "out", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "C++" in page
    assert "_2b_" not in page


@pytest.mark.parametrize("method", [str.split, "海 и sea".split])
def test_methods_that_are_not_written_in_python_cut_words_too(method):
    """They have no module, and their name is that of their class: it ended with an AttributeError."""
    if isinstance(method, type(str.split)):
        result = dupdetect.dedup(["море 海 sea", "море 海  sea"], words=method)
        assert len(result.groups()) == 1
    assert dupdetect.Settings(words=method).as_dict()["words"] == "builtins:str.split"
