import datetime
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from generated_sites import LANGUAGES, Writer, site

from dupdetect.cli.main import main
from dupdetect.errors import InputError, MismatchError
from dupdetect.pipeline import corpus
from dupdetect.pipeline import earlier_runs as earlier
from dupdetect.pipeline.dedup import dedup
from dupdetect.settings import Settings


def story(name, language="en", paragraphs=2):
    return Writer(language, name).story(paragraphs)


def decided(result):
    """Give each new document's canonical and relation to it."""
    return {row["id"]: (row["cluster"], row["relation"]) for row in result.clusters.to_pylist()}


@pytest.fixture
def against(tmp_path):
    """Give a function that holds documents against earlier ones, each a mapping or a table."""

    def run(*nights, policy=(), **settings):
        folders = []
        for number, night in enumerate(nights):
            if policy:
                settings["canonical"] = policy[number]
            result = dedup(night, against=folders or None, sketches=True, **settings)
            folders.append(tmp_path / f"night {number}")
            result.write(folders[-1], overwrite=True)
        return result

    return run


@pytest.mark.parametrize("language", LANGUAGES)
def test_copies_of_what_was_kept_are_found(against, language):
    old, other = story("old", language), story("other", language)
    writer = Writer(language, "around")
    new = {
        "same": old.upper(),
        "near": f"{old} {writer.line(1)}",
        "page": f"{writer.menu(40)}\n\n{old}\n\n{writer.menu(40)}",
        "part": other[: 2 * len(other) // 3],
        "stranger": story("stranger", language),
        "its copy": story("stranger", language),
    }
    result = against({"old": old, "other": other}, new)
    found = decided(result)
    assert found["same"] == ("old", "identical")
    assert found["near"] == ("old", "near_duplicate")
    assert found["page"] == ("old", "contains")
    assert found["part"] == ("other", "contained")
    assert [found[id][0] for id in ("stranger", "its copy")] == ["its copy"] * 2
    assert result.clusters["id"].to_pylist() == list(new)
    assert result.manifest["counts"]["kept"] == result.rows.num_rows == 1
    assert result.manifest["against"]["related"] == 2
    pairs = set(zip(result.matches["a"].to_pylist(), result.matches["b"].to_pylist(), strict=True))
    assert {("old", "same"), ("near", "old"), ("near", "same")} <= {tuple(sorted(pair)) for pair in pairs}
    assert ("old", "other") not in pairs


@pytest.mark.parametrize("policy", ["cleanest", "longest", "first"])
def test_what_was_kept_stays(against, policy):
    article, writer = story("article"), Writer("en", "around")
    page = f"{writer.menu(20)}\n\n{article}\n\n{writer.menu(20)}"
    new = {"article": article, "longer": f"{writer.menu(20)}\n{page}\n{writer.menu(20)}"}
    result = against({"page": page}, new, canonical=policy)
    assert {cluster for cluster, _ in decided(result).values()} == {"page"}
    assert result.rows.num_rows == result.superseded.num_rows == 0
    assert decided(dedup({"page": page} | new, canonical=policy))["page"][0] != "page" or policy == "first"


def test_what_an_earlier_document_does_not_say_is_not_lost(against):
    article, writer = story("article", paragraphs=3), Writer("en", "around")
    new = {"article": article, "longer": f"{article}\n\n{writer.paragraph(80)}\n\n{writer.paragraph(80)}"}
    result = against({"old": article}, new)
    assert decided(result)["longer"] == ("longer", None)
    assert decided(result)["article"] == ("old", "identical")
    assert result.clusters["lost"].to_pylist() == [0, None]


def table(**columns):
    return pa.table(columns)


def test_a_policy_that_orders_all_may_put_a_new_document_in_an_earlier_ones_place(against, tmp_path):
    text, day = story("dated"), datetime.date
    first = table(id=["may"], text=[text], date=[day(2024, 5, 1)])
    second = table(id=["june", "april"], text=[text, f"{text} again"], date=[day(2024, 6, 1), day(2024, 4, 1)])
    result = against(first, second, canonical="earliest")
    assert decided(result) == {"june": ("april", "near_duplicate"), "april": ("april", None)}
    assert result.superseded.schema.equals(result.clusters.drop_columns(["file", "row"]).schema)
    (row,) = result.superseded.to_pylist()
    assert (row["id"], row["cluster"], row["canonical"], row["relation"]) == ("may", "april", False, "near_duplicate")
    assert result.manifest["against"]["superseded"] == 1
    third = table(id=["july"], text=[text], date=[day(2024, 7, 1)])
    result = dedup(third, against=tmp_path, canonical="earliest")
    assert decided(result) == {"july": ("april", "near_duplicate")}


@pytest.mark.parametrize("settings", [{"canonical": "priority"}, {"canonical": lambda row: row["priority"]}])
def test_an_earlier_document_goes_before_a_new_one_of_the_same_rank(against, settings):
    text = story("ranked")
    first = table(id=["z"], text=[text], priority=[2])
    second = table(id=["a", "b"], text=[text, text.lower()], priority=[2, None if "lambda" in str(settings) else 2])
    second = second.slice(0, 1) if callable(settings["canonical"]) else second
    assert {cluster for cluster, _ in decided(against(first, second, **settings)).values()} == {"z"}


def test_a_lower_priority_supersedes_a_document_of_the_same_words(against):
    text = story("ranked")
    first, second = (table(id=[id], text=[text], priority=[rank]) for id, rank in (("z", 2), ("a", 1)))
    result = against(first, second, canonical="priority")
    assert decided(result) == {"a": ("a", None)}
    assert result.superseded.select(["id", "cluster", "relation"]).to_pylist() == [
        {"id": "z", "cluster": "a", "relation": "identical"}
    ]


def test_the_column_of_a_policy_must_be_there_and_of_one_type(against):
    old, new = table(id=["a"], text=[story("x")]), table(id=["b"], text=[story("x")], priority=[2])
    with pytest.raises(InputError, match=r"kept\.parquet: there is no column 'priority', by which"):
        against(old, new, policy=["cleanest", "priority"])
    dated = table(id=["c"], text=[story("x")], priority=[datetime.date(2024, 1, 1)])
    with pytest.raises(InputError, match=r"column 'priority' is int64 there and date32\[day\] here"):
        against(new, dated, policy=["priority", "priority"])


def test_two_earlier_documents_are_not_merged(against):
    old = {name: story(name) for name in ("one", "two", "three")}
    result = against(old, {"all": "\n\n".join(old.values()), "more": " ".join([story("four"), *old.values()])})
    assert decided(result)["all"][0] in ("all", "more")
    assert {(row["id"], row["cluster"]) for row in result.digests.to_pylist()} == {
        (bridge, held) for bridge in ("all", "more") for held in old
    }


def test_what_two_outputs_both_kept_stays_in_both(tmp_path):
    text = story("twice")
    for name in "ab":
        dedup({name: text}, sketches=True).write(tmp_path / name)
    result = dedup({"c": text}, against=[tmp_path / "b", tmp_path / "a"])
    assert decided(result) == {"c": ("a", "identical")}
    assert result.matches.select(["a", "b"]).to_pylist() == [{"a": "a", "b": "c"}, {"a": "b", "b": "c"}]
    assert result.superseded.num_rows == 0


def test_a_bridge_is_one_the_next_night_too(against):
    parts = {f"part {n}": story(f"part {n}") for n in range(5)}
    weekly = "\n\n".join(parts.values())
    first = {id: parts[id] for id in list(parts)[:4]} | {"weekly": weekly}
    second = {"part 4": parts["part 4"], "weekly again": f"{weekly} printed twice"}
    result = against(first, second)
    assert decided(result) == {"part 4": ("part 4", None), "weekly again": ("weekly", "near_duplicate")}
    assert ("weekly", "part 4") in {(row["id"], row["cluster"]) for row in result.digests.to_pylist()}


def test_text_that_was_found_to_be_template_is_template(against):
    pages = {language: site(language, "gazette", 12) for language in ("en", "ru", "zh")}
    for ids in zip(*pages.values(), strict=True):
        assert len(set(ids)) == 1
    first = {f"{language} {id}": page for language in pages for id, page in list(pages[language].items())[:11]}
    second = {f"{language} {id}": page for language in pages for id, page in list(pages[language].items())[11:]}
    result = against(first, second)
    assert all(row["canonical"] for row in result.clusters.to_pylist())


def test_what_is_template_adds_up_night_by_night(against, tmp_path):
    pages = list(site("en", "gazette", 10).items())
    nights = [dict(pages[:6]), {"stranger": story("stranger")}, dict(pages[6:]), dict(pages[:3])]
    against(*nights)
    tables = [pq.read_table(tmp_path / f"night {n}" / "boilerplate.parquet") for n in range(4)]
    margins = [dict(zip(table["shingle"].to_pylist(), table["margin"].to_pylist(), strict=True)) for table in tables]
    assert len(margins[0]) > 50
    assert margins[1] == margins[3] == {}
    assert len(margins[0].keys() & margins[2].keys()) > 50
    assert all(margins[2].values())
    shingles, margin = earlier.Earlier(tmp_path, Settings()).boilerplate
    summed = {shingle: margins[0].get(shingle, 0) + margins[2].get(shingle, 0) for shingle in margins[0] | margins[2]}
    assert dict(zip(shingles.tolist(), margin.tolist(), strict=True)) == summed


# ---- ids ----


def test_a_document_that_is_there_already_is_a_copy_of_itself(against):
    text = story("again")
    result = against({"a": text, "b": story("b")}, {"a": text, "c": text})
    assert decided(result) == {"a": ("a", "identical"), "c": ("a", "identical")}
    assert result.rows.num_rows == 0
    assert result.matches.select(["a", "b", "relation"]).to_pylist() == [{"a": "a", "b": "c", "relation": "identical"}]


def test_a_document_that_is_there_already_supersedes_nobody(against):
    text, day = story("again"), datetime.date
    first = table(id=["a"], text=[text], date=[day(2024, 5, 1)])
    second = table(id=["a", "b"], text=[text, text], date=[day(2024, 4, 1), day(2024, 6, 1)])
    result = against(first, second, canonical="earliest")
    assert decided(result) == {"a": ("a", "identical"), "b": ("a", "identical")}
    assert result.superseded.num_rows == 0


def test_the_id_of_another_text_is_rejected(against):
    rows = table(id=["x", "a", "e", "s"], text=[story("x"), story("other"), "", "👍"])
    old = {"a": story("a"), "b": story("b"), "e": "", "s": "👍"}
    result = against(old, rows)
    assert decided(result) == {"x": ("x", None)}
    assert result.rejects.to_pylist() == [
        {
            "file": None,
            "row": 1,
            "reason": "column 'id' repeats the id 'a' of an earlier document, whose text is another",
        },
        {
            "file": None,
            "row": 2,
            "reason": "column 'id' repeats the id 'e' of an earlier document, whose text has no words either",
        },
        {
            "file": None,
            "row": 3,
            "reason": "column 'id' repeats the id 's' of an earlier document, whose text has no words either",
        },
    ]
    assert result.manifest["counts"]["rejected"] == 3


def test_the_id_of_another_text_is_an_error_if_rejects_are(tmp_path):
    dedup({"a": story("a")}).write(tmp_path / "out")
    file = tmp_path / "new.parquet"
    pq.write_table(table(id=["x", "a"], text=[story("x"), story("other")]), file)
    with pytest.warns(match="sketched again"), pytest.raises(InputError, match=r"new\.parquet:2: column 'id' repeats"):
        dedup(file, against=tmp_path / "out", strict=True)


def test_numbers_are_no_ids_to_hold_documents_against(against):
    texts = [story(n) for n in range(3)]
    assert decided(against(texts, texts)) == {n: (n, "identical") for n in range(3)}
    with pytest.raises(
        InputError, match=r"no ids but their row numbers, as those of .*night 0 had: 1 stands for one text"
    ):
        against(texts, [texts[0], "something else"])


def test_ids_that_count_the_rows_are_said_to_be_so(against):
    """A column was given, and the error told to give one; and it named a folder of our own."""
    rows = [{"id": n, "text": story(n)} for n in range(3)]
    others = [{"id": 0, "text": story("other")}, *rows[1:]]
    with pytest.raises(InputError, match=r"name a column of ids, of such as do not count the rows"):
        against(rows, others)
    with pytest.raises(InputError, match="as those of the Result had: 0 stands for one text here"):
        dedup(others, against=dedup(rows))


def test_ids_may_be_wider(against):
    text = story("n")
    narrow, wide = (table(id=pa.array([n], kind), text=[text]) for n, kind in ((1, pa.int32()), (2, pa.int64())))
    assert decided(against(narrow, wide)) == {2: (1, "identical")}
    assert decided(against(wide, narrow)) == {1: (2, "identical")}


# ---- the same whichever way ----


def test_nights_in_a_row(against):
    texts = {n: story(n) for n in range(6)}
    nights = [
        {"a0": texts[0], "a1": texts[1], "a2": texts[0]},
        {"b1": texts[1], "b2": texts[2], "b3": texts[3]},
        {"c0": texts[0], "c3": texts[3], "c4": texts[4]},
        {"d2": texts[2], "d4": texts[4], "d5": texts[5]},
    ]
    result = against(*nights)
    assert decided(result) == {"d2": ("b2", "identical"), "d4": ("c4", "identical"), "d5": ("d5", None)}
    assert result.manifest["against"]["documents"] == 5


def test_nothing_new_and_nothing_old(against, tmp_path):
    assert against({"a": story("a")}, {}).clusters.num_rows == 0
    assert decided(against({}, {"a": story("a"), "empty": ""})) == {"a": ("a", None), "empty": ("empty", None)}
    assert decided(against({"old": ""}, {"empty": ""})) == {"empty": ("empty", None)}


def test_on_disk_and_in_memory_with_sketches_and_without_it_is_the_same(against, tmp_path, monkeypatch):
    old = {f"{language} {n}": story(n, language) for language in LANGUAGES for n in range(4)}
    new = {f"new {id}": f"{text} {id}" for id, text in old.items()} | {"x": story("x"), "y": story("x")}
    expected = against(old, new)
    folder = tmp_path / "night 0"
    results = [dedup(new, against=folder, workers=1)]
    with monkeypatch.context() as patched:
        patched.setattr(corpus, "FOOTPRINT", 1 << 40)  # nothing fits
        patched.setattr("dupdetect.pipeline.incremental.FOOTPRINT", 1 << 40)
        results.append(dedup(new, against=folder))
        assert results[-1].manifest["memory"]["on_disk"]
    (folder / "sketches.parquet").unlink()
    with pytest.warns(match="sketched again"):
        results.append(dedup(new, against=folder))
    for result in results:
        assert result.clusters.equals(expected.clusters)
        assert result.matches.equals(expected.matches)
        assert result.kept.equals(expected.kept)


def test_a_run_is_gone_on_with_if_what_it_is_held_against_is_as_it_was(against, tmp_path, monkeypatch):
    old = {f"{n}": story(n) for n in range(8)}
    new = {"near": f"{old['2']} indeed", "new": story("new")}
    expected, work = against(old, new), tmp_path / "work"
    file = tmp_path / "new.parquet"
    pq.write_table(table(id=list(new), text=list(new.values())), file)

    def resumed():
        return dedup(file, against=tmp_path / "night 0", work=work, resume=True)

    with monkeypatch.context() as patched:
        patched.setattr("dupdetect.pipeline.dedup._result", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            resumed()
    with monkeypatch.context() as patched:
        patched.setattr("dupdetect.pipeline.dedup.decide", None)  # it is decided
        assert decided(resumed()) == decided(expected)
    (tmp_path / "night 0" / "manifest.json").write_text("{} ")
    with pytest.raises(MismatchError, match="against"):
        resumed()


def test_with_sketches_no_earlier_text_is_signed_or_read_unless_it_must_be(against, tmp_path, monkeypatch):
    old = {f"{n}": story(n) for n in range(8)}
    against(old)
    read = []
    texts_of = earlier.texts_of
    monkeypatch.setattr(earlier, "sketch_rows", None)
    monkeypatch.setattr(earlier, "texts_of", lambda *args: read.extend(texts_of(*args).to_pylist()) or texts_of(*args))
    new = {"same": old["1"], "near": f"{old['2']} indeed", "new": story("new")}
    assert decided(dedup(new, against=tmp_path))["near"] == ("2", "near_duplicate")
    assert read == [old["2"]]


def test_sketches_of_other_settings_are_refused_before_anything_is_read(against, tmp_path):
    against({"a": story("a")})
    with pytest.raises(MismatchError, match="num_perm 128, where 64 is wanted"):
        dedup(tmp_path / "none.parquet", against=tmp_path, num_perm=64)


def test_many_copies_of_an_earlier_document_go_to_it(against):
    text, writer = story("family", paragraphs=3), Writer("en", "edits")
    old = {"old": text} | {f"{n}": story(n) for n in range(20)}
    new = {f"copy {n:03}": f"{writer.line(2)} {text} {writer.line(2)}" for n in range(200)}
    assert {cluster for cluster, _ in decided(against(old, new)).values()} == {"old"}


# ---- the command ----


def test_the_command(tmp_path, capsys):
    for name, rows in {
        "monday": {"m1": story(1), "m2": story(2)},
        "tuesday": {"t1": story(1), "t3": story(3)},
        "wednesday": {"w2": story(2), "w3": story(3), "w4": story(4)},
    }.items():
        pq.write_table(table(url=list(rows), body=list(rows.values())), tmp_path / f"{name}.parquet")
    outputs = tmp_path / "outputs"
    outputs.mkdir()

    def run(day, *options):
        columns = ["--id", "url", "--text", "body", "--sketches", "-o", str(outputs / day)]
        return main(["dedup", str(tmp_path / f"{day}.parquet"), *columns, *options])

    assert run("monday") == 0
    assert run("tuesday", "--against", str(outputs / "monday")) == 0
    assert run("wednesday", "--against", str(outputs)) == 0
    kept = {path.name: pq.read_table(path / "kept.parquet")["url"].to_pylist() for path in outputs.iterdir()}
    assert kept == {"monday": ["m1", "m2"], "tuesday": ["t3"], "wednesday": ["w4"]}
    capsys.readouterr()
    assert main(["dedup", str(tmp_path / "monday.parquet"), "-o", str(tmp_path / "x"), "--against", "nowhere"]) == 1
    assert "nowhere: there is no such folder" in capsys.readouterr().err


def test_warnings_are_only_of_sketches_that_are_missing(against):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        against({"a": story("a")}, {"b": story("a")}, {"c": story("a")})


def test_ranks_of_those_who_stand_and_of_those_who_come_last():
    from dupdetect.clustering.canonical import Rankable, rank
    from dupdetect.io.rows import Rows

    rows, none = Rows.of(table(id=[*"abcd"], priority=[1, 2, 1, 0])), np.zeros(4, np.bool_)
    columns = rows, rows.column("id"), np.array([4, 3, 2, 1]), np.array([0.9, 0.1, 0.5, 0.7]), ~none
    standing, last = np.array([False, True, True, False]), np.array([True, False, False, False])

    def order(policy, **marks):
        return np.argsort(rank(Settings(canonical=policy), Rankable(*columns, **marks))).tolist()

    assert order("cleanest") == [0, 3, 2, 1]
    assert order("cleanest", standing=standing) == [2, 1, 0, 3]
    assert order("longest", standing=standing) == [1, 2, 0, 3]
    assert order("first", standing=standing, last=last) == [1, 2, 3, 0]
    assert order("priority", standing=standing) == [3, 2, 0, 1]
    assert order("priority", standing=standing, last=last) == [3, 2, 1, 0]


def test_reports_and_explanations_show_the_earlier_documents_too(against, tmp_path):
    from dupdetect.reports import texts as excerpts
    from dupdetect.reports.explain import explain
    from dupdetect.reports.html import report
    from dupdetect.results.run import Run

    parts = {f"part {n}": story(n) for n in range(4)}
    new = {"near": f"{parts['part 1']} indeed", "weekly": "\n".join(parts.values()), "own": story("own")}
    result = against(parts, new)
    run = Run(tmp_path / "night 1")
    assert (run.new, len(run) - run.new) == (3, 4)
    assert run.ids.to_pylist()[run.canonical[0]] == "part 1"
    found = {
        run.ids[int(row)].as_py(): text.as_py()
        for part in excerpts.of_earlier(run, "text")
        for row, text in zip(part.rows, part.texts, strict=True)
    }
    assert found == parts
    report(tmp_path / "night 1", tmp_path / "report.html", data=new)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert parts["part 1"].split("\n")[0] in page
    for out in (result, tmp_path / "night 1"):
        assert "near duplicate of 'part 1'" in str(explain(out, "near", new))
