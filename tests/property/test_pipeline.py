"""The whole road on small corpora made of copies: what must hold of every result, however it was come by."""

from collections import Counter
from itertools import permutations

import oracles
import pyarrow as pa
import pytest
from exactness import CROWDED, EXACT, PASSAGES
from hypothesis import HealthCheck, assume, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from judging import all_matches, judge

from dupdetect._compiled import dispatch
from dupdetect.errors import InputError
from dupdetect.matching.overlaps import RELATIONS
from dupdetect.pipeline.dedup import dedup
from dupdetect.sketches import sketches


@st.composite
def corpora(draw, max_size=8):
    """Draw texts by id: joined passages, some with a word changed, added or lost, some without words."""
    edits = st.sampled_from(["", "", "", "extra", "other"])
    chosen = st.lists(st.sampled_from(PASSAGES), max_size=4)
    drawn = draw(st.lists(st.tuples(chosen, edits), max_size=max_size))
    names = draw(st.permutations([f"d{n}" for n in range(len(drawn))]))
    return {name: f"{' '.join(parts)} {edit}" for name, (parts, edit) in zip(names, drawn, strict=True)}


@st.composite
def newspapers(draw):
    """Draw texts by id: passages alone, and round-ups of three and more of them with a word of their own."""
    texts = [passage for passage in PASSAGES if draw(st.integers(0, 3))]
    chosen = st.lists(st.sampled_from(PASSAGES), min_size=3, max_size=6, unique=True)
    drawn = draw(st.lists(st.tuples(chosen, st.sampled_from(["", "", "more"])), min_size=1, max_size=4))
    texts += [f"{' '.join(parts)} {word}" for parts, word in drawn]
    names = draw(st.permutations([f"d{n}" for n in range(len(texts))]))
    return dict(zip(names, texts, strict=True))


def rows(table, key):
    """Give a table's rows by key, order forgotten."""
    return sorted(table.to_pylist(), key=lambda row: [str(row[name]) for name in key])


def tables(result):
    """Give all that a result decides, order of the input forgotten."""
    contents = rows(result.digests, ["id", "cluster"])
    clusters = result.clusters.drop_columns(["row"])
    return rows(clusters, ["id"]), rows(result.matches, ["a", "b"]), contents, rows(result.kept, ["id"])


def partition(result):
    groups = {}
    for row in result.clusters.to_pylist():
        groups.setdefault(row["cluster"], set()).add(row["id"])
    return {frozenset(group) for group in groups.values()}


def shuffled(corpus, order):
    names = list(corpus)
    return {names[place]: corpus[names[place]] for place in order}


@given(corpora(), st.sampled_from([EXACT, CROWDED]), st.sampled_from(["cleanest", "longest"]))
def test_every_document_has_one_row_and_every_cluster_one_canonical(corpus, settings, policy):
    result = dedup(corpus, settings=settings, canonical=policy)
    clusters = result.clusters.to_pylist()
    assert [row["id"] for row in clusters] == list(corpus)
    by_id = {row["id"]: row for row in clusters}
    for row in clusters:
        assert row["canonical"] == (row["id"] == row["cluster"])
        assert by_id[row["cluster"]]["canonical"]
        measured = [row[name] is None for name in ("relation", "score", "jaccard", "containment", "lost", "lost_share")]
        assert measured == [row["canonical"]] * 6
    assert result.kept["id"].to_pylist() == [row["id"] for row in clusters if row["canonical"]]


@given(corpora(), st.sampled_from([EXACT, CROWDED]), st.sampled_from(["cleanest", "longest", "first"]))
def test_every_member_is_itself_a_match_of_its_canonical(corpus, settings, policy):
    for row in dedup(corpus, settings=settings, canonical=policy).clusters.to_pylist():
        if row["canonical"]:
            continue
        text, canonical = corpus[row["id"]], corpus[row["cluster"]]
        x, y = (oracles.shingles(one, settings.shingle_size) for one in (text, canonical))
        judged = judge(text, canonical, settings)
        assert judged.removable
        assert row["relation"] in judged.relations
        assert row["jaccard"] == oracles.jaccard(x, y)
        assert row["containment"] == max(oracles.share(x, y), oracles.share(y, x))
        assert (row["score"], row["lost"]) == (pytest.approx(judged.score), judged.lost)
        assert row["lost_share"] <= max(settings.max_lost, 1 - settings.threshold) + 1e-9


@given(corpora())
def test_matches_are_all_pairs_that_are_copies(corpus):
    result = dedup(corpus, settings=EXACT)
    assume(result.manifest["counts"]["boilerplate_shingles"] == 0)  # else what all share is no reason to match
    found = {frozenset((row["a"], row["b"])) for row in result.matches.to_pylist()}
    assert found == {frozenset(pair) for pair in all_matches(corpus, EXACT)}
    assert len(found) == result.matches.num_rows == result.manifest["counts"]["matches"]
    assert not any(result.manifest["caps"].values())


@given(corpora(), st.sampled_from([EXACT, CROWDED]))
def test_each_match_says_what_a_is_to_b(corpus, settings):
    matches = dedup(corpus, settings=settings).matches.to_pylist()
    assert matches == sorted(matches, key=lambda row: (row["a"], row["b"]))
    for row in matches:
        a, b = corpus[row["a"]], corpus[row["b"]]
        x, y = (oracles.shingles(one, settings.shingle_size) for one in (a, b))
        assert row["relation"] in judge(a, b, settings).relations
        assert row["jaccard"] == oracles.jaccard(x, y)
        assert (row["containment_a"], row["containment_b"]) == (oracles.share(x, y), oracles.share(y, x))
        assert row["boilerplate"] == 0


@given(corpora())
def test_of_two_that_stand_alone_none_can_stand_for_the_other(corpus):
    result = dedup(corpus, settings=EXACT)
    together = {member for group in result.groups() for member in group.members}
    alone = set(corpus) - together - set(result.digests["id"].to_pylist())
    for one, other in permutations(sorted(alone), 2):
        judged = judge(corpus[one], corpus[other], EXACT)
        assert not (judged and judged.removable)


@given(corpora())
def test_clusters_are_joined_by_matches(corpus):
    together = oracles.components(corpus, all_matches(corpus, EXACT))
    for group in partition(dedup(corpus, settings=EXACT)):
        assert any(group <= component for component in together)


@given(corpora(), st.sampled_from([EXACT, CROWDED]), st.sampled_from(["cleanest", "longest"]), st.data())
def test_the_result_does_not_depend_on_the_order_of_the_input(corpus, settings, policy, data):
    order = data.draw(st.permutations(range(len(corpus))))
    one = dedup(corpus, settings=settings, canonical=policy)
    other = dedup(shuffled(corpus, order), settings=settings, canonical=policy)
    assert tables(one) == tables(other)
    for name in ("counts", "caps"):
        assert one.manifest[name] == other.manifest[name]


@given(corpora(), st.sampled_from([EXACT, CROWDED]), st.data())
def test_the_result_does_not_depend_on_workers_or_chunks(corpus, settings, data):
    table = pa.table({"id": pa.array(corpus, pa.string()), "text": pa.array(corpus.values(), pa.string())})
    size = data.draw(st.integers(1, 4))
    pieces = [table.slice(start, size) for start in range(0, len(table), size)]
    chunked = pa.concat_tables(pieces) if pieces else table
    results = [dedup(table, settings=settings, workers=workers) for workers in (1, 2, 3)]
    results += [dedup(chunked, settings=settings, workers=2), dedup(corpus, settings=settings)]
    for other in results[1:]:
        assert other.clusters.equals(results[0].clusters)
        assert other.matches.equals(results[0].matches)
        assert tables(other)[:3] == tables(results[0])[:3]
        assert other.kept.num_rows == results[0].kept.num_rows


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(corpora(), st.sampled_from([EXACT, CROWDED]))
def test_the_result_does_not_depend_on_what_is_compiled(monkeypatch, corpus, settings):
    found = []
    for break_even, way in ((2**62, "function"), (1, "compiled")):
        with monkeypatch.context() as patch:
            patch.setattr(sketches, "BREAK_EVEN", break_even)
            patch.setattr(dispatch.Compilable, "faster_for", lambda function, _, way=way: getattr(function, way))
            found.append(tables(dedup(corpus, settings=settings)))
    assert found[0] == found[1]


@given(corpora(), st.sampled_from([EXACT, CROWDED]), st.data())
def test_the_policy_changes_who_represents_a_cluster_but_not_who_is_in_it(corpus, settings, data):
    numbers = st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=len(corpus), max_size=len(corpus))
    table = pa.table(
        {
            "id": pa.array(corpus, pa.string()),
            "text": pa.array(corpus.values(), pa.string()),
            "date": pa.array(data.draw(numbers), pa.int64()),
            "priority": pa.array(data.draw(numbers), pa.int64()),
        }
    )
    policies = ["cleanest", "longest", "earliest", "priority", "first", lambda row: row["text"]]
    results = [dedup(table, settings=settings, canonical=policy) for policy in policies]
    assert len({frozenset(partition(result)) for result in results}) == 1


def stands_for(canonical, text):
    judged = judge(text, canonical, EXACT)
    return bool(judged) and judged.removable


@given(corpora(max_size=6), st.sampled_from(["longest", "earliest", "priority", "first"]), st.data())
def test_the_canonical_is_the_first_by_its_policy_that_every_member_matches(corpus, policy, data):
    values = data.draw(st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=len(corpus), max_size=len(corpus)))
    names = list(corpus)
    table = pa.table(
        {"id": pa.array(names, pa.string()), "text": pa.array(corpus.values(), pa.string())}
        | {"date": pa.array(values, pa.int64()), "priority": pa.array(values, pa.int64())}
    )
    key = {
        "longest": lambda one: -len(oracles.words(corpus[one])),
        "first": names.index,
        "earliest": lambda one: (values[names.index(one)] is None, values[names.index(one)] or 0),
    }
    key["priority"] = key["earliest"]
    result = dedup(table, settings=EXACT, canonical=policy)
    for group in result.groups():
        able = [
            one
            for one in group.members
            if all(one == other or stands_for(corpus[one], corpus[other]) for other in group.members)
        ]
        assert group.canonical in able
        assert key[policy](group.canonical) == min(key[policy](one) for one in able)


#: d5 holds texts of the others, yet no canonical as a whole.
HOLDS_NO_CANONICAL = {
    f"d{number}": " ".join(f"{letter}{i}" for letter in letters for i in range(6)) + more
    for number, (letters, more) in enumerate(
        [("a", ""), ("b", ""), ("d", ""), ("abc", " "), ("abcdef", " "), ("abd", " more")]
    )
}


@given(newspapers(), st.sampled_from([EXACT, CROWDED]), st.sampled_from(["cleanest", "longest", "first"]))
@example(HOLDS_NO_CANONICAL, CROWDED, "cleanest")
@example(HOLDS_NO_CANONICAL, EXACT, "cleanest")
def test_what_bridges_hold_is_named_by_its_canonical_and_measured(corpus, settings, policy):
    result = dedup(corpus, settings=settings, canonical=policy)
    clusters = {row["id"]: row["cluster"] for row in result.clusters.to_pylist()}
    listed = result.digests.to_pylist()
    assert listed == sorted(listed, key=lambda row: (row["id"], -row["share"], row["cluster"]))
    assert len({(row["id"], row["cluster"]) for row in listed}) == len(listed)
    for row in listed:
        assert clusters[row["cluster"]] == row["cluster"] != clusters[row["id"]]
        x, y = (oracles.shingles(corpus[row[name]], settings.shingle_size) for name in ("id", "cluster"))
        assert (row["containment"], row["share"]) == (oracles.share(y, x), oracles.share(x, y))
        members = [corpus[name] for name, cluster in clusters.items() if cluster == row["cluster"]]
        assert any(judge(corpus[row["id"]], text, settings) for text in members)
    assert len({row["id"] for row in listed}) == result.manifest["counts"]["digests"]


@given(newspapers(), st.sampled_from([EXACT, CROWDED]), st.sampled_from(["cleanest", "longest"]), st.data())
def test_bridges_do_not_depend_on_order_workers_or_chunks(corpus, settings, policy, data):
    order = data.draw(st.permutations(range(len(corpus))))
    one = dedup(corpus, settings=settings, canonical=policy)
    for workers in (1, 3):
        other = dedup(shuffled(corpus, order), settings=settings, canonical=policy, workers=workers)
        assert tables(one) == tables(other)
        assert other.digests.equals(one.digests)


@given(newspapers())
def test_a_round_up_is_in_a_cluster_with_round_ups_only(corpus):
    result = dedup(corpus, settings=EXACT)
    bridges = set(result.digests["id"].to_pylist())
    assert all(bridges.issuperset(group.members) or bridges.isdisjoint(group.members) for group in result.groups())


@given(st.lists(st.one_of(st.none(), st.sampled_from(["", "a b c", "a b c d", "!"])), max_size=8), st.data())
def test_documents_are_rows_and_rejects(texts, data):
    ids = data.draw(st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=len(texts), max_size=len(texts)))
    table = pa.table({"id": pa.array(ids, pa.int64()), "text": pa.array(texts, pa.string())})
    if texts and all(text is None or id is None for text, id in zip(texts, ids, strict=True)):
        with pytest.raises(InputError, match="no row could be used"):
            dedup(table, settings=EXACT)
        return
    result = dedup(table, settings=EXACT)
    assert result.clusters.num_rows + result.rejects.num_rows == len(texts)
    counts = result.manifest["counts"]
    assert (counts["documents"], counts["rejected"]) == (result.clusters.num_rows, result.rejects.num_rows)
    bad = {row for row, text in enumerate(texts) if text is None or ids[row] is None}
    assert bad <= set(result.rejects["row"].to_pylist())


@given(corpora(), st.sampled_from([EXACT, CROWDED]))
def test_the_manifest_counts_what_the_tables_hold(corpus, settings):
    result = dedup(corpus, settings=settings)
    counts, clusters = result.manifest["counts"], result.clusters.to_pylist()
    relations = Counter(row["relation"] for row in clusters if row["relation"])
    assert counts == {
        "documents": len(corpus),
        "rejected": 0,
        "empty": sum(not oracles.words(text) for text in corpus.values()),
        "clusters": len(partition(result)),
        "duplicates": len(corpus) - result.kept.num_rows,
        "kept": result.kept.num_rows,
        "matches": result.matches.num_rows,
        "digests": len(set(result.digests["id"].to_pylist())),
        "boilerplate_shingles": sum(margin > 0 for margin in result.boilerplate["margin"].to_pylist()),
        "relations": {name: relations[name] for name in RELATIONS[1:]},
        "lost_words": sum(row["lost"] or 0 for row in clusters),
    }


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(2, 4))
def test_copies_of_copies_that_are_not_listed_are_counted(numbers, frequent):
    corpus = {f"d{place}": f"{PASSAGES[0]} {PASSAGES[1]} {'x' * number}" for place, number in enumerate(numbers)}
    result = dedup(corpus, settings=EXACT.replace(hot_key_documents=frequent, threshold=0.5))
    listed = {frozenset((row["a"], row["b"])) for row in result.matches.to_pylist()}
    assert len(listed) == result.matches.num_rows
    copies = all_matches(corpus, EXACT.replace(threshold=0.5))
    assert listed <= {frozenset(pair) for pair in copies}
    found = len(listed) + result.manifest["caps"]["unlisted_pairs"]
    assert found <= len(copies)
    if result.manifest["caps"]["sampled_pairs"] == 0:
        assert found == len(copies)
    assert len(partition(result)) == bool(corpus)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(corpora(), st.integers(1, 3), st.integers(1, 2))
def test_compiled_code_takes_chunks_as_they_come(monkeypatch, corpus, size, workers):
    table = pa.table({"id": pa.array(corpus, pa.string()), "text": pa.array(corpus.values(), pa.large_string())})
    pieces = [table.slice(start, size) for start in range(0, len(table), size)]
    with monkeypatch.context() as patch:
        patch.setattr(sketches, "BREAK_EVEN", 1)
        patch.setattr(sketches, "CHUNK", 0)
        compiled = dedup(pa.concat_tables(pieces) if pieces else table, settings=EXACT, workers=workers)
    assert tables(compiled)[:3] == tables(dedup(table, settings=EXACT))[:3]


@pytest.mark.parametrize("policy", ["cleanest", "longest"])
def test_a_corpus_without_documents_has_empty_tables(policy):
    result = dedup({}, settings=EXACT, canonical=policy)
    assert (result.clusters.num_rows, result.matches.num_rows, result.kept.num_rows) == (0, 0, 0)
    assert result.groups() == []
