import json
import subprocess
import sys
from itertools import permutations

import numpy as np
import oracles
import pyarrow as pa
import pytest
from families import near_copies
from generated_sites import site
from mixed_corpora import in_one_line_and_in_many

import dupdetect
from dupdetect.errors import InputError, SettingsError
from dupdetect.matching import candidates
from dupdetect.pipeline.dedup import dedup
from dupdetect.settings import Settings
from dupdetect.sketches import sketches
from dupdetect.sketches.build import signatures, sketch

ARTICLE = " ".join(f"word{n}" for n in range(60))
CHROME = "\n".join(f"menu{n} item{n}" for n in range(30))


def distinct(n, seed=0, length=150):
    """Make n texts that have nothing in common."""
    random = np.random.default_rng(seed)
    return [" ".join(f"w{number}" for number in row) for row in random.integers(0, 10**9, (n, length)).tolist()]


def clusters_of(result):
    return result.clusters["cluster"].unique().to_pylist()


def test_a_page_an_article_a_copy_and_a_stranger():
    page, stranger = f"{CHROME}\n{ARTICLE}\n{CHROME.upper()} Below", " ".join(f"other{n}" for n in range(50))
    result = dedup({"page": page, "article": ARTICLE, "copy": ARTICLE.upper(), "stranger": stranger, "empty": ""})
    rows = {row["id"]: row for row in result.clusters.to_pylist()}
    assert {name: row["cluster"] for name, row in rows.items()} == {
        "page": "article",
        "article": "article",
        "copy": "article",
        "stranger": "stranger",
        "empty": "empty",
    }
    assert (rows["page"]["relation"], rows["copy"]["relation"]) == ("contains", "identical")
    assert [(group.canonical, group.members) for group in result.groups()] == [("article", ["article", "copy", "page"])]
    assert [(row["a"], row["b"], row["relation"]) for row in result.matches.to_pylist()] == [
        ("article", "copy", "identical"),
        ("article", "page", "contained"),
        ("copy", "page", "contained"),
    ]


def test_the_manifest_is_json_and_says_how_the_result_came_about():
    result = dedup([ARTICLE, ARTICLE], threshold=0.7)
    manifest = json.loads(json.dumps(result.manifest))
    assert manifest["settings"]["threshold"] == 0.7
    assert manifest["fingerprint"] == Settings(threshold=0.7).fingerprint
    assert (manifest["bands"]["bands"], manifest["bands"]["rows"]) == Settings(threshold=0.7).banding
    assert manifest["versions"]["dupdetect"] == dupdetect.__version__
    assert set(manifest["timings"]) == {"read", "sign", "candidates", "verify", "cluster", "tables"}
    assert all(seconds >= 0 for seconds in manifest["timings"].values())
    assert set(manifest["caps"]) == {"hot_keys", "sampled_pairs", "deferred_pairs", "rounds", "unlisted_pairs"}
    assert manifest["inputs"] == ["list"]


def test_progress_is_told_of_each_stage_in_order():
    calls = []
    dedup([ARTICLE, ARTICLE, CHROME], progress=lambda *call: calls.append(call))
    stages = list(dict.fromkeys(stage for stage, _, _ in calls))
    assert stages == ["sign", "candidates", "verify", "cluster", "tables"]
    for stage in stages:
        done = [done for name, done, _ in calls if name == stage]
        assert done[0] == 0
        assert done == sorted(done)
    assert {stage: total for stage, _, total in calls} == {
        "sign": 3,
        "candidates": 2,
        "verify": 0,
        "cluster": 2,
        "tables": 3,
    }


def test_settings_come_as_an_object_or_one_by_one_and_the_latter_win():
    texts = ["a b", "a c"]
    assert dedup(texts, settings=Settings(shingle_size=1, threshold=0.3)).kept.num_rows == 1
    assert dedup(texts, settings=Settings(shingle_size=1), threshold=0.3).kept.num_rows == 1
    assert dedup(texts, settings=Settings(threshold=0.9), threshold=0.3, shingle_size=1).manifest["settings"][
        "threshold"
    ] == pytest.approx(0.3)


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", True])
def test_workers_are_a_whole_number_from_one_on(workers):
    with pytest.raises(SettingsError, match=r"workers is .*; expected a whole number from 1 on, or None"):
        dedup(["x"], workers=workers)


def test_an_unknown_setting_is_refused_before_anything_is_read():
    def never():
        raise AssertionError
        yield

    with pytest.raises(SettingsError, match=r"unknown setting treshold \(did you mean threshold\?\); the settings are"):
        dedup(never(), treshold=0.5)


def test_a_policy_without_its_column_names_the_columns_there_are():
    table = pa.table({"id": ["a", "b"], "text": [ARTICLE, ARTICLE], "when": [1, 2]})
    with pytest.raises(InputError, match="reads column 'date', but the columns are 'id', 'text', 'when'"):
        dedup(table, canonical="earliest")
    assert clusters_of(dedup(table, canonical="earliest", canonical_column="when")) == ["a"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("cleanest", "b"),
        ("longest", "c"),
        ("earliest", "d"),
        ("priority", "b"),
        ("first", "c"),
        (lambda row: row["key"], "d"),
    ],
)
def test_each_policy_chooses_its_own_canonical(policy, expected):
    table = pa.table(
        {
            "id": ["c", "d", "b", "a"],
            "text": [f"{ARTICLE} and more", f"{ARTICLE} and", ARTICLE, "something else"],
            "date": ["2025-02-02", "2025-01-01", None, "2024-01-01"],
            "priority": [3, None, 1, 0],
            "key": [2, 1, 3, 0],
        }
    )
    result = dedup(table, canonical=policy)
    assert [group.canonical for group in result.groups()] == [expected]
    assert set(clusters_of(result)) == {expected, "a"}


def test_among_identical_documents_the_policy_chooses_and_ties_go_by_id():
    table = pa.table({"id": ["b", "c", "a"], "text": [ARTICLE] * 3, "date": [2, 1, 1]})
    assert clusters_of(dedup(table)) == ["a"]
    assert clusters_of(dedup(table, canonical="first")) == ["b"]
    assert clusters_of(dedup(table, canonical="earliest")) == ["a"]
    assert clusters_of(dedup(table, canonical=lambda row: -row["date"])) == ["b"]


def test_signatures_are_those_of_datasketch():
    texts = ["one two three four five six", "one", "", "漢字 по-русски"]
    signed = signatures(texts, num_perm=32, seed=3, shingle_size=2)
    assert (signed.shape, signed.dtype) == ((4, 32), np.uint32)
    for row, text in zip(signed, texts, strict=True):
        hashes = [oracles.shingle_hash(run) for run in oracles.runs(oracles.words(text), 2)]
        assert row.tolist() == oracles.minhash(hashes, 32, 3).hashvalues.tolist()
    assert np.array_equal(signed, sketch(texts, num_perm=32, seed=3, shingle_size=2).signatures)
    assert signatures([]).shape == (0, 128)


def test_signing_has_no_rejects():
    with pytest.raises(InputError, match="row 1"):
        signatures(["one", None])


def test_a_round_up_of_five_articles_merges_none_of_them():
    articles = [" ".join(f"{name}{n}" for n in range(80)) for name in "vwxyz"]
    result = dedup([*articles, " ".join(articles)])
    assert result.groups() == []
    assert result.matches.num_rows == 5


def test_two_round_ups_of_the_same_articles_are_copies_of_each_other():
    articles = [" ".join(f"{name}{n}" for n in range(80)) for name in "vwxyz"]
    result = dedup([*articles, " ".join(articles), " ".join(["today", *articles])])
    assert [sorted(group.members) for group in result.groups()] == [[5, 6]]


def test_a_huge_document_among_small_ones_is_found_again():
    huge = " ".join(f"w{n}" for n in range(200_000))
    result = dedup([huge, ARTICLE, huge + " end"])
    assert result.clusters["cluster"].to_pylist() == [2, 1, 2] or result.clusters["cluster"].to_pylist() == [0, 1, 0]


def test_a_family_of_near_copies_has_candidates_in_proportion_and_ends_in_one_cluster():
    n = 5000
    texts = near_copies(n)
    settings = Settings()
    made = dedup(texts)
    assert len(clusters_of(made)) == 1
    assert made.manifest["caps"]["hot_keys"] > 0
    found = candidates.find(sketch(texts, settings=settings))
    # A rare key gives a document up to 64 partners, a frequent one four; the rounds after that add some.
    assert len(found.pairs) <= 50 * n
    assert made.matches.num_rows <= 100 * n
    assert made.manifest["caps"]["rounds"] <= 8


def test_candidates_of_a_family_grow_in_proportion():
    counts = [len(candidates.find(sketch(near_copies(n))).pairs) / n for n in (1000, 4000)]
    assert counts[1] <= 1.5 * counts[0]


@pytest.mark.parametrize("frequent", [2, 3, 10, 64, 500])
@pytest.mark.parametrize("edits", [0, 1, 3])
def test_a_family_ends_in_one_cluster_wherever_keys_become_frequent(frequent, edits):
    assert len(clusters_of(dedup(near_copies(400, edits=edits), hot_key_documents=frequent))) == 1


def test_families_and_strangers_are_told_apart_among_frequent_keys():
    texts, expected = [], []
    for family, size in enumerate((300, 150, 70, 10, 1, 1)):
        texts += near_copies(size, seed=family, vocabulary=10**9)
        expected.append(size)
    order = np.random.default_rng(1).permutation(len(texts))
    result = dedup([texts[place] for place in order])
    assert [len(group) for group in result.groups()] == [300, 150, 70, 10]
    assert result.kept.num_rows == len(expected)


@pytest.mark.parametrize("told_by", ["a page", "words"])
def test_of_copies_in_other_lines_the_least_id_tells_which(told_by):
    texts = in_one_line_and_in_many(told_by)
    found = set()
    for order in permutations(texts):
        clusters = dedup({id: texts[id] for id in order}).clusters.select(["id", "cluster", "relation", "lost"])
        found.add(tuple(sorted((tuple(row.values()) for row in clusters.to_pylist()), key=str)))
    assert len(found) == 1
    by_id = {row[0]: row[1] for row in found.pop()}
    assert set(by_id.values()) == ({"article"} if told_by == "a page" else {"words"})


def test_strangers_in_one_frame_make_no_quadratic_number_of_candidates():
    frame = CHROME
    texts = [f"{frame} {text}" for text in distinct(1500, length=120)]
    result = dedup(texts)
    assert result.kept.num_rows == 1500
    assert result.manifest["caps"]["sampled_pairs"] <= 1500 * 30


@pytest.mark.parametrize("make", [lambda n: [ARTICLE] * n, near_copies])
def test_twenty_thousand_copies_end_in_one_cluster(make):
    n = 20_000
    result = dedup(make(n))
    assert len(clusters_of(result)) == 1
    assert result.manifest["caps"]["unlisted_pairs"] >= 0


def test_pairs_of_copies_are_listed_up_to_the_cap_and_counted_beyond():
    n = 300
    result = dedup([ARTICLE] * n)
    assert result.matches.num_rows == n - 1
    assert result.manifest["caps"]["unlisted_pairs"] == n * (n - 1) // 2 - (n - 1)
    few = dedup([ARTICLE] * 64)
    assert (few.matches.num_rows, few.manifest["caps"]["unlisted_pairs"]) == (64 * 63 // 2, 0)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_compiled_and_interpreted_runs_agree_on_a_family(monkeypatch, workers):
    texts = near_copies(150, edits=3) + distinct(30) + [ARTICLE, f"{CHROME}\n{ARTICLE}"]
    plain = dedup(texts, workers=workers)
    monkeypatch.setattr(sketches, "BREAK_EVEN", 0)
    compiled = dedup(texts, workers=workers)
    assert compiled.clusters.equals(plain.clusters)
    assert compiled.matches.equals(plain.matches)


def test_a_few_texts_need_no_compiler_and_no_datasketch():
    code = (
        "import sys, dupdetect; dupdetect.dedup(['a b c', 'a b c', 'x', '', 'y z']); "
        "loaded = {'numba', 'datasketch', 'rich', 'scipy'} & set(sys.modules); assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_result_is_the_same_in_another_process_with_another_hash_seed():
    code = (
        "import dupdetect; t = ['a b c d e f g ' * 3 + w for w in 'xyzzy']; "
        "r = dupdetect.dedup(t); print(r.clusters.to_pylist(), r.matches.to_pylist(), r.manifest['fingerprint'])"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != ""


def test_stages_are_told_to_logging(caplog):
    caplog.set_level("INFO", logger="dupdetect")
    dedup(["one text", "One text."])
    told = [
        record.getMessage().split(":")[0] for record in caplog.records if record.name == "dupdetect.pipeline.timing"
    ]
    assert told == ["sign", "candidates", "verify", "cluster", "tables"]


def test_memory_and_the_longest_text_are_sizes_too():
    result = dedup(["one text", "One text.", "another, and a longer one"], memory="1GB", max_text="20B")
    assert result.manifest["memory"]["limit"] == 10**9
    assert result.rejects.num_rows == 1
    with pytest.raises(SettingsError, match="'much' is no size: give a number and its unit, such as 2GB"):
        dedup(["one text"], memory="much")
    with pytest.raises(SettingsError, match="memory is '1MB'; expected a number of bytes or a size such as '2GB'"):
        dedup(["one text"], memory="1MB")
    with pytest.raises(SettingsError, match=r"max_text is '0\.5TB'; expected a number of bytes from 1 to"):
        dedup(["one text"], max_text="0.5TB")


def test_boilerplate_that_is_given_is_taken_as_it_stands():
    pages = site("en", "one", 8)
    learned = dedup(pages)
    assert learned.boilerplate.num_rows > 0
    given = dedup(pages, known_boilerplate=learned.boilerplate)
    assert given.boilerplate.num_rows == 0, "nothing was learned beyond it"
    assert given.clusters["cluster"].to_pylist() == learned.clusters["cluster"].to_pylist()
    with pytest.raises(SettingsError, match="known_boilerplate cannot be given together with against"):
        dedup(pages, known_boilerplate=learned.boilerplate, against="out")
    with pytest.raises(InputError, match="no column 'margin'"):
        dedup(pages, known_boilerplate=learned.boilerplate.select(["shingle"]))
