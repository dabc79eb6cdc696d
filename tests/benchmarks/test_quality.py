"""The sets of `quality.py` on corpora of a few lines, and its tables: no corpus and no other tool is needed."""

import gzip
import json

import numpy as np
import pytest

pytest.importorskip("psutil")  # before `quality`, which measures memory
quality = pytest.importorskip("quality")
scoring = quality.scoring

PAGES = {"a": "the story", "b": "Menu the story Contact", "c": "Menu another tale Contact", "d": "another tale"}


def written(folder, texts, **tables):
    folder.mkdir(parents=True)
    rows = [json.dumps({"id": key, "text": text}) for key, text in texts.items()]
    (folder / "docs.jsonl.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def found(labels, pairs=None, **more):
    pairs = None if pairs is None else np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return quality.Found(np.array(labels), pairs, **more)


@pytest.fixture
def pages(tmp_path):
    articles = ["id,article,kind,source", "a,1,clean,x", "b,1,page,x", "c,2,page,y", "d,2,clean,y"]
    return written(tmp_path / "pages", PAGES, articles=articles, ignore=["article_a,article_b"])


def test_pages(pages):
    everything, alone = quality.pages(pages)
    assert alone.ids == ["b", "c"]
    row = everything.score(found([0, 0, 0, 1], [(0, 1), (1, 2)], canonical=np.array([False, True, False, True])))
    assert (row["right"], row["found"], row["true"]) == (1, 3, 2)
    assert (row["as_pairs"]["right"], row["as_pairs"]["found"]) == (1, 2)
    assert row["canonical_accuracy"] == 0.0
    assert {source: of["f1"] for source, of in row["by_source"].items()} == {"x": 1.0, "y": 0.0}
    assert alone.score(found([0, 0]))["found"] == 1


def test_pairs_of_articles_to_ignore_are_not_scored(pages):
    (pages / "ignore.csv").write_text("article_a,article_b\n2,1\n", encoding="utf-8")
    everything, _ = quality.pages(pages)
    row = everything.score(found([0, 0, 0, 1], [(0, 1), (1, 2)]))
    assert (row["found"], row["as_pairs"]["found"]) == (1, 1)


def test_newswire(tmp_path):
    texts = {"a": "Wheat up 3 pct", "b": "WHEAT UP 3 PCT!", "c": "Wheat up 4 pct", "d": "ｗheat up 3 pct"}
    pairs = ["a,b,jaccard3,containment3", "a,b,1.0,1.0", "a,c,0.4,0.5", "b,d,0.9,1.0"]
    (task,) = quality.newswire(written(tmp_path / "newswire", texts, pairs=pairs))
    row = task.score(found([0, 0, 0, 1], [(0, 1), (0, 2)], identical=np.array([(0, 1), (0, 2), (0, 3)])))
    assert row["near"] == {"true": 2, "clusters": 0.5, "pairs": 0.5}
    assert (row["identical"], row["identical_but_different"]) == (3, 1)
    assert (row["right"], row["found"], row["true"]) == (1, 3, 2)


def test_versions(tmp_path):
    form = "Automatically generated file: the operand {} of an instruction"
    texts = {"a": form.format(1), "b": form.format(2), "c": form.format(1) + ", once more", "d": "By hand"}
    (task,) = quality.versions(written(tmp_path / "versions", texts, pairs=["a,b,jac3,identical", "a,c,0.85,False"]))
    row = task.score(found([0, 0, 0, 0], [(0, 1), (0, 2)]))
    assert row["near"] == {"true": 1, "clusters": 1.0, "pairs": 1.0}
    assert (row["found"], row["right"]) == (6, 1)
    assert (row["look_alikes"], row["look_alikes_below_0.8"]) == (2, 2)
    assert json.dumps(row)  # no number of numpy's
    assert row["lost"] == 2  # for the longest, of another name; the third is its own
    assert task.score(found([0, 0, 0, 0], canonical=np.array([False, False, False, True])))["lost"] == 3
    apart = task.score(found([0, 1, 0, 2]))
    assert apart["lost"] == 0
    assert (apart["look_alikes"], apart["precision"]) == (0, 1.0)
    assert "pairs" not in apart["near"]


def test_records_take_the_settings_for_short_texts(tmp_path):
    written(tmp_path / "records" / "one_set", PAGES, clusters=["id,cluster", "a,1", "b,1", "c,2", "d,3"])
    (task,) = quality.records(tmp_path / "records")
    assert (task.name, task.settings) == ("records, one", quality.SHORT)
    assert task.score(found([0, 0, 1, 1]))["f1"] == 2 * 1 / (2 + 1)


def test_ocr_counts_a_false_pair_in_the_bands_of_both_its_documents(tmp_path):
    pairs = ["a,b,language,char_error,jaccard3", "a,b,EN,0.05,0.9", "c,d,FR,0.2,0.5"]
    (task,) = quality.ocr(written(tmp_path / "ocr", PAGES, pairs=pairs))
    bands = task.score(found([0, 0, 0, 1]))["by_error"]
    counts = [(of["right"], of["found"], of["true"]) for of in bands.values()]
    assert counts == [(1, 3, 1), (0, 2, 1), (0, 0, 0)]


def test_answers(tmp_path):
    pairs = ["a,b,label", "a,b,cut", "a,c,light", "a,d,heavy", "b,c,non"]
    (task,) = quality.answers(written(tmp_path / "answers", PAGES, pairs=pairs))
    row = task.score(found([0, 0, 1, 0], [(0, 1), (1, 2)]))
    assert [of["clusters"] for of in row["by_label"].values()] == [1, 0, 1, 0]
    assert [of["pairs"] for of in row["by_label"].values()] == [1, 0, 0, 1]


def test_releases(tmp_path):
    long = " ".join(f"word{number}" for number in range(30))
    texts = {"a": long, "b": f"{long} more", "c": "a licence alone", "d": "a licence alone, and a line"}
    folder = written(
        tmp_path / "code", texts, files=["id,file", "a,x", "b,x", "c,y", "d,z"], near=["a,b,jaccard", "a,b,0.96"]
    )
    (task,) = quality.of_releases(folder)
    assert (task.name, task.settings) == ("code", {})
    pairs = scoring.unique_pairs(np.array([(0, 1), (2, 3)]))
    row = task.score(found([0, 0, 1, 1], pairs, canonical=np.array([True, False, True, False]), near=pairs))
    assert json.dumps(row)
    assert {name: row[name] for name in ("recall", "families", "false", "lost", "unfound", "misnamed")} == {
        "recall": 1.0, "families": 1.0, "false": 1, "lost": 1, "unfound": 0, "misnamed": 1,
    }  # fmt: skip
    bars = quality.bars([{"set": "code", "engine": "dupdetect"} | row])
    assert {bar["what"]: bar["met"] for bar in bars} == {
        "code, recall of Jaccard ≥ 0.8": True,
        "code, pairs of one file together": True,
        "code, false pairs": True,
        "code, lost documents": True,
        "code, pairs of Jaccard ≥ 0.8 neither matched nor together": True,
        "code, near duplicates of Jaccard < 0.8": False,
    }


def test_an_engine_that_names_no_canonical_keeps_the_longest(tmp_path):
    assert found([0, 1, 0]).canonicals(["a", "b", "cc"]).tolist() == [2, 1, 2]
    assert found([0, 1, 0], canonical=np.array([True, True, False])).canonicals(["a", "b", "cc"]).tolist() == [0, 1, 0]


def test_sites_of_few_pages(monkeypatch):
    monkeypatch.setattr(quality.sites, "make", lambda name: quality.sites.worlds.make(name, scale=0.1, seed=1))
    (task,) = quality.few_pages(None)
    apart = task.score(found(np.arange(len(task.ids)).tolist()))
    assert json.dumps(apart)
    assert (apart["precision"], apart["recall"], apart["lost"]) == (1.0, 0.0, 0)
    together = task.score(found([0] * len(task.ids)))
    assert together["precision"] < 0.5 < together["recall"]
    bars = quality.bars([{"set": task.name, "engine": "dupdetect"} | apart])
    assert [bar["met"] for bar in bars] == [True, False]


def test_others_are_told_the_same_shingles():
    task = quality.Task("t", [], [], dict, {"shingle_size": 2, "unit": "character", "threshold": 0.3})
    assert quality.told(task, quality.Engine("rensa", 0.5)) == {
        "shingle_size": 2, "unit": "character", "threshold": 0.5,
    }  # fmt: skip
    assert quality.told(task, quality.Engine("dupdetect", settings={"window": 4})) == task.settings | {"window": 4}


def rows():
    score = {"precision": 0.998, "recall": 0.98, "f1": 0.99, "right": 39, "found": 44, "true": 45}
    page = score | {"canonical_accuracy": 1.0, "by_source": {"x": {"f1": 0.9}}}
    timed = {"seconds": 2.0, "peak_megabytes": 300.0, "documents": 4, "settings": {}}
    return [
        {"set": "pages", "engine": "dupdetect"} | timed | page,
        {"set": "pages alone", "engine": "dupdetect"} | timed | page,
        {"set": "generated", "engine": "dupdetect"} | timed | score,
        {"set": "generated", "engine": quality.WITHOUT} | timed | score | {"recall": 0.99},
        {"set": "pages", "engine": "rensa ≥ 0.5", "problem": "exit code 1: no"},
    ]


def test_bars():
    met = {bar["what"]: bar["met"] for bar in quality.bars(rows())}
    assert met == {
        "pages, precision": True,
        "pages, recall": False,
        "pages, f1": False,
        "pages, canonical accuracy": True,
        "pages of x, f1": False,
        "pages alone, true pairs found of 45": False,
        "pages alone, false pairs": False,
        "generated, precision that boilerplate votes cost": True,
        "generated, recall that boilerplate votes cost": False,
    }


def test_tables(tmp_path, capsys):
    (tmp_path / "quality.json").write_text(json.dumps({"rows": rows(), "audits": []}), encoding="utf-8")
    quality.main(["--again", str(tmp_path / "quality.json"), "--bars", "--details"])
    printed = capsys.readouterr().out
    assert "| dupdetect | 0.998 / 0.980 | 0.990 | 0.900 | 1.000 | 39 + 5 | 4.0 | 300 |" in printed
    assert printed.count("rensa ≥ 0.5") == printed.count("exit code 1: no") == 1  # among the details
    assert "| pages, recall | 0.9800 | ≥ 0.985 | no |" in printed
    lines = [line for line in printed.splitlines() if line]
    assert all(line.startswith("| ") and line.endswith(" |") for line in lines)
    quality.main(["--again", str(tmp_path / "quality.json"), "--json"])
    assert json.loads(capsys.readouterr().out)["bars"] == quality.bars(rows())


def test_the_last_of_several_runs_counts(tmp_path):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps({"rows": rows(), "audits": [{"what": "audits"}]}), encoding="utf-8")
    new.write_text(json.dumps({"rows": [rows()[0] | {"recall": 1.0}], "audits": []}), encoding="utf-8")
    result = quality.again([old, new])
    assert [row["recall"] for row in result["rows"][:2]] == [1.0, 0.98]
    assert len(result["rows"]) == len(rows())
    assert result["bars"][-1] == {"what": "audits"}


def test_sets_that_are_not_here_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DUPDETECT_SHARED", str(tmp_path))
    assert list(quality.tasks(["pages"])) == []
    assert f"skipped: pages: there is no {tmp_path / 'corpora' / 'pages'}" in capsys.readouterr().err


@pytest.mark.parametrize("unit", ["word", "character"])
@pytest.mark.parametrize("size", [1, 3])
def test_exact_similarities_against_sets(unit, size):
    engines = quality.engines
    texts = ["a b c d", "a b c e", "", "x", "a b c d a b", "東京 大阪", "東京大阪 a"]
    if unit == "word":
        words = [text.replace("東京", "東 京 ").replace("大阪", "大 阪 ").split() for text in texts]
    else:
        words = [list(text.replace(" ", "")) for text in texts]
    sets = [{tuple(w[i : i + size]) for i in range(max(len(w) - size + 1, 1))} if w else set() for w in words]
    expected = {
        (i, j): (len(a & b) / len(a | b), len(a & b) / min(len(a), len(b)))
        for i, a in enumerate(sets)
        for j, b in enumerate(sets)
        if i < j and a & b
    }
    counted = {}
    for pairs, of in engines.similarities(texts, size, unit, rows=3):
        counted |= zip(map(tuple, pairs.tolist()), zip(of["jaccard"], of["containment"], strict=True), strict=True)
    assert counted == expected
