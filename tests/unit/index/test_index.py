import datetime
import decimal
import json
import threading
import uuid
from itertools import permutations
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from generated_sites import Writer, site
from mixed_corpora import in_one_line_and_in_many
from postgres_server import database, dropped

import dupdetect
from dupdetect import Index, InputError, MismatchError, OutputError, Settings, SettingsError
from dupdetect.index import keys, schema
from dupdetect.index.evidence import EVIDENCE

STORY = Writer("en", "story").story(3)
OTHER = Writer("en", "other").story(3)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request, tmp_path):
    """Give the place of a new index."""
    if request.param == "sqlite":
        yield str(tmp_path / "news.dupindex")
        return
    address = database()
    yield address
    dropped(address)


def test_a_copy_is_seen_and_said_to_be_one(where):
    with Index(where) as index:
        first = index.add("a", STORY)
        assert (first.is_new, first.cluster, first.matches, bool(first)) == (True, "a", [], False)
        near = index.add("b", f"{STORY} One more line.")
        assert not near.is_new
        assert bool(near)
        assert [(match.id, match.relation) for match in near.matches] == [("a", "near_duplicate")]
        assert near.matches[0].containment_b == 1.0 > near.matches[0].containment_a
        same = index.add("c", STORY.upper())
        assert {match.id: match.relation for match in same.matches} == {"a": "identical", "b": "near_duplicate"}
        assert index.add("d", OTHER).is_new
        assert len(index) == 4
        assert "a" in index
        assert "e" not in index
        assert index.cluster_of("c") == index.cluster_of("a") == index.cluster_of("b")
        assert index.text("c") == STORY.upper()
        with pytest.raises(KeyError):
            index.cluster_of("e")


def test_a_page_and_its_article_are_related_either_way(where):
    writer = Writer("en", "menu")
    page = f"{writer.menu(30)}\n\n{STORY}\n\n{writer.menu(30)}"
    with Index(where) as index:
        index.add("article", STORY)
        assert [(m.id, m.relation, m.containment_b) for m in index.query(page).matches] == [
            ("article", "contains", 1.0)
        ]
        index.remove(["article"])
        index.add("page", page)
        assert [(match.id, match.relation) for match in index.query(STORY).matches] == [("page", "contained")]


def test_texts_without_words_are_told_by_their_bytes_and_blank_ones_are_alone(where):
    with Index(where) as index:
        assert index.add("a", "\U0001f600!").is_new
        assert index.query("\U0001f600!").cluster == "a"
        assert index.query("\U0001f680!").is_new
        told = index.add_many({"b": "\U0001f600!", "c": "...", "d": "...", "e": " ", "f": " "}).to_pylist()
        assert [row["cluster"] for row in told] == ["a", "c", "c", "e", "f"]
        assert [row["is_new"] for row in told] == [False, True, False, True, True]
        index.remove(["a"])
        assert index.cluster_of("b") == "b"
        assert index.verify() == []


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_of_copies_in_other_lines_the_least_id_tells_which(where, at_once):
    texts = in_one_line_and_in_many("a page")
    for order in permutations(texts):
        with Index(where) as index:
            if at_once:
                index.add_many(pa.table({"id": [*order], "text": [texts[id] for id in order]}))
            else:
                for id in order:
                    index.add(id, texts[id])
            assert {index.cluster_of(id) for id in texts} == {"article"}
            index.remove(["a page"])
            assert {index.cluster_of(id) for id in ("article", "words")} == {"words"}
            index.remove(list(texts))


def test_a_question_stores_nothing(where):
    with Index(where) as index:
        index.add("a", STORY)
        before = index.stats()
        seen = index.query(STORY)
        assert (seen.id, seen.is_new, seen.cluster) == (None, False, "a")
        assert index.query(OTHER).is_new
        assert index.query("").is_new
        assert index.stats() == before


def test_the_same_again_does_nothing_and_another_text_replaces(where):
    with Index(where) as index:
        index.add("a", STORY, metadata={"source": "one"})
        again = index.add("a", STORY, metadata={"source": "two"})
        assert not again.is_new
        assert index.metadata("a") == {"source": "one"}
        index.add("b", STORY)
        replaced = index.add("a", OTHER)
        assert replaced.is_new
        assert len(index) == 2
        assert index.cluster_of("b") == "b"
        assert index.text("a") == OTHER


def test_what_expires_is_removed_and_nothing_else(where):
    now = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc)
    with Index(where) as index:
        index.add("a", STORY, expires=now)
        index.add("b", STORY, expires=now.replace(year=2025))
        index.add("c", STORY)
        assert index.expire(before=now) == 0
        assert index.expire(before=now.replace(month=6)) == 1
        assert [id in index for id in "abc"] == [False, True, True]
        assert index.expire() == 1
        assert index.cluster_of("c") == "c"
        with pytest.raises(InputError, match="expected a datetime, or seconds since 1970"):
            index.expire(before="yesterday")


def test_a_table_comes_back_for_many(where):
    table = pa.table(
        {"url": [5, 6, 7], "body": [STORY, f"{STORY} And.", OTHER], "source": ["x", "y", None], "until": [None, 1, 2]}
    )
    with Index(where) as index:
        told = index.add_many(table, text="body", id="url", metadata=["source"], expires="until")
        assert told.select(["id", "is_new"]).to_pylist() == [
            {"id": 5, "is_new": True},
            {"id": 6, "is_new": False},
            {"id": 7, "is_new": True},
        ]
        assert told["relation"].to_pylist() == [None, "near_duplicate", None]
        assert index.metadata(6) == {"source": "y"}
        assert index.expire(before=1.5) == 1
        assert index.clusters()["id"].to_pylist() == [5, 7]
        assert index.add_many(table.slice(0, 0), text="body", id="url").num_rows == 0


def test_rows_that_cannot_be_used_are_told(where):
    rows = [{"id": "a", "text": STORY}, {"id": None, "text": STORY}, {"id": "c", "text": None}]
    with Index(where) as index:
        with pytest.warns(UserWarning, match="2 of . rows are rejected, the first of them row 1: "):
            assert index.add_many(rows).num_rows == 1
        rejected = []
        index.add_many(rows, rejected=rejected.append)
        assert rejected[0]["row"].to_pylist() == [1, 2]
        with pytest.raises(InputError, match="row 1"):
            index.add_many(rows, strict=True)


def test_ids_keep_their_type(where):
    ids = [datetime.date(2024, 1, day) for day in (1, 2)]
    with Index(where) as index:
        index.add_many(pa.table({"id": ids, "text": [STORY, OTHER]}))
        assert index.clusters().schema.field("id").type == pa.date32()
        assert ids[0] in index
        with pytest.raises(InputError, match=r"these ids are string, and the index has ids that are date32"):
            index.add("a", STORY)
        assert "a" not in index
    with Index(where) as index:
        assert index.query(STORY).cluster == ids[0]


def test_an_id_cannot_hold_a_nul(where):
    with Index(where) as index, pytest.raises(InputError, match="NUL"):
        index.add("a\0b", STORY)


def test_texts_may_be_left_out(where):
    with Index(where, texts=False) as index:
        index.add("a", STORY)
        near = index.add("b", f"{STORY} One more line.")
        assert near.matches[0].relation == "near_duplicate"
        assert not index.query(STORY.upper()).is_new
        assert not index.query(f"{STORY} One.").is_new
        assert index.query(OTHER).is_new
        assert index.result().kept.column_names == ["id", "metadata"]
        for asked in (lambda: index.text("a"), index.learn_boilerplate, index.documents):
            with pytest.raises(InputError, match="leaves texts out"):
                asked()
        assert index.verify() == []
    with pytest.raises(MismatchError, match="leaves out texts"):
        Index(where, texts=True)


def test_settings_are_those_of_the_index(where):
    Index(where, threshold=0.7, prefer={"source": ["ap"]}).close()
    with Index(where) as index:
        assert index.settings == Settings(threshold=0.7, prefer={"source": ["ap"]})
    Index(where, Settings(threshold=0.7, prefer={"source": ["ap"]})).close()
    with pytest.raises(MismatchError, match=r"made with threshold 0\.7, where 0\.9 is wanted"):
        Index(where, threshold=0.9, prefer={"source": ["ap"]})
    with pytest.raises(SettingsError, match="within, between and per"):
        Index(where, within="source")


def first_word(row):
    return row["title"]


def test_a_policy_of_ones_own_reads_metadata(where):
    with Index(where, canonical=first_word) as index:
        index.add("a", STORY, metadata={"title": "z"})
        index.add("b", STORY, metadata={"title": "y"})
        assert index.cluster_of("a") == "b"
    with pytest.raises(SettingsError, match=r"canonical is the callable .*first_word, which no file can hold"):
        Index(where)


def test_a_policy_of_ones_own_may_know_nothing_of_some_documents(where):
    """An index ranks few documents at a time: that none of these has a date says nothing of the function."""
    with Index(where, canonical=lambda row: row.get("date")) as index:
        index.add("a", STORY)
        assert not index.add("b", STORY).is_new
        index.add("c", OTHER, metadata={"date": "2024-05-01"})
        assert index.cluster_of("b") == "a"


def test_metadata_of_several_types_have_no_order(where):
    with Index(where, canonical="priority") as index:
        index.add("a", STORY, metadata={"priority": 2})
        with pytest.raises(InputError, match="several types"):
            index.add("b", STORY, metadata={"priority": "first"})
        assert len(index) == 1
        index.add("b", STORY, metadata={"priority": 1})
        assert index.cluster_of("a") == "b"
        with pytest.raises(InputError, match="cannot be JSON"):
            index.add("c", STORY, metadata={"priority": b"1"})


def test_boilerplate_is_learned_and_used_from_then_on(where):
    pages = {f"{name}{number}": page for name in "ab" for number, page in enumerate(site("en", name, 8).values())}
    with Index(where) as index:
        index.add_many(pages)
        assert index.boilerplate().num_rows == 0
        assert index.learn_boilerplate() > 0
        learned = dupdetect.dedup(pages)
        assert index.boilerplate().equals(learned.boilerplate)
        found = dupdetect.dedup(pages, known_boilerplate=learned.boilerplate)
        assert index.matches().equals(found.matches)


def test_what_is_verified_anew_is_read_of_the_document_of_the_least_id(where):
    """A copy of a page, on one line, comes last and has the least id: that line counts, as in a run."""
    writer = Writer("en", "menu")
    page = f"{writer.menu(25)}\n\n{STORY}\n\n{writer.menu(25)}"
    texts = {"page": page, "story": STORY, "a page on one line": " ".join(page.split())}
    found = dupdetect.dedup(texts)
    assert found.kept["id"].to_pylist() == ["a page on one line"]
    with Index(where) as index:
        index.add_many(texts)
        index.learn_boilerplate()
        assert index.matches().equals(found.matches)
        assert index.clusters()["cluster"].equals(found.clusters["cluster"])


def test_what_is_exported_is_as_a_run_wrote_it(where, tmp_path):
    with Index(where) as index:
        index.add_many({**site("en", "one", 8), "story": STORY, "copy": STORY.upper(), "near": f"{STORY} One more."})
        index.export(tmp_path / "out")
    verified = dupdetect.verify_output(tmp_path / "out")
    assert verified.holds, verified


def test_a_run_is_loaded_and_exported(where, tmp_path):
    pages = {**site("en", "one", 8), "story": STORY, "copy": STORY.upper()}
    run = dupdetect.dedup(pages, sketches=True)
    run.write(tmp_path / "out")
    with Index(where) as index:
        with pytest.warns(UserWarning, match="only what it kept is added"):
            assert index.load(tmp_path / "out") == len(run.kept)
        assert index.boilerplate().equals(run.boilerplate)
        assert not index.query(STORY).is_new
        assert index.verify() == []
        index.add("again", STORY)
        index.export(tmp_path / "exported")
        documents = index.documents().read_all()
    night = dupdetect.dedup({"new": f"{STORY} And."}, against=tmp_path / "exported")
    assert night.clusters["canonical"].to_pylist() == [False]
    assert documents["id"].to_pylist()[-1] == "again"
    dupdetect.dedup(["a text"]).write(tmp_path / "bare")
    with Index(tmp_path / "other.dupindex") as other, pytest.raises(InputError, match="run dedup with --sketches"):
        other.load(tmp_path / "bare")


def test_a_run_whose_input_is_not_there_is_loaded_in_part_and_says_so(where, tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    rows = [{"id": "story", "text": STORY}, {"id": "copy", "text": STORY.upper()}]
    Path("night.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    dupdetect.dedup(Path("night.jsonl"), sketches=True).write("out")
    monkeypatch.chdir(tmp_path)
    with Index(where) as index:
        with pytest.warns(UserWarning, match="only what it kept is added, 1 of 2 documents"):
            assert index.load("there/out") == 1
        assert len(index) == 1


POLICIES = ({}, {"canonical": "longest"}, {"canonical": "first"}, {"boilerplate": False}, {"hot_key_documents": 4})


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_a_run_is_loaded_whole_with_what_it_found(where, tmp_path, policy):
    stories = [Writer("en", f"load {number}").story(2) for number in range(4)]
    pages = {**site("en", "one", 9), **site("en", "two", 9), "emoji": "\U0001f600", "smile": "\U0001f600", "blank": " "}
    for number, story in enumerate(stories):
        pages |= {
            f"s{number}": story,
            f"s{number} copy": story.upper(),
            f"s{number} near": f"{story} And one more line.",
        }
    pages["round-up"] = "\n\n".join(stories)
    pages |= {f"f{number}": f"{STORY} And number {number}." for number in range(12)}
    data = pa.table({"url": list(pages), "body": list(pages.values()), "seen": [str(n % 5) for n in range(len(pages))]})
    pq.write_table(data, tmp_path / "in.parquet")
    read = {"text": "body", "id": "url"}
    run = dupdetect.dedup(tmp_path / "in.parquet", sketches=True, settings=policy, **read)
    run.write(tmp_path / "out")
    with Index(where, policy) as index:
        assert index.load(tmp_path / "out", metadata=["seen"]) == len(pages)
        assert index.clusters().equals(run.clusters.drop_columns(["file", "row"]))
        assert index.matches().equals(run.matches)
        assert index.text("s1 copy") == stories[1].upper()
        assert index.metadata("s1 copy") == {"seen": str(list(pages).index("s1 copy") % 5)}
        assert index.verify() == []
        told = index.add("more", f"{stories[2]} And another line.")
        assert {"s2", "s2 copy", "s2 near"} <= {match.id for match in told.matches}
        index.remove(["more", "s1", "f3"])
        if "hot_key_documents" not in policy:
            left = {id: text for id, text in pages.items() if id not in ("s1", "f3")}
            found = dupdetect.dedup(left, settings=policy, known_boilerplate=index.boilerplate())
            assert index.clusters().equals(found.clusters.drop_columns(["file", "row"]))
        assert index.verify() == []


def test_of_a_run_whose_input_is_gone_what_it_kept_is_loaded(where, tmp_path):
    rows = [{"id": "a", "text": STORY}, {"id": "b", "text": STORY.upper()}, {"id": "c", "text": OTHER}, {"id": "d"}]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = dupdetect.dedup(path, sketches=True)
    run.write(tmp_path / "out")
    with Index(tmp_path / "whole") as index:
        assert index.load(tmp_path / "out") == 3
        assert index.load(tmp_path / "out") == 3
        assert len(index) == 3
    path.write_text(json.dumps(rows[0]))
    with Index(where) as index:
        with pytest.warns(UserWarning, match="only what it kept is added, 2 of 3 documents"):
            assert index.load(tmp_path / "out") == 2
        assert index.clusters()["id"].to_pylist() == run.clusters["id"].filter(run.clusters["canonical"]).to_pylist()
        assert not index.query(STORY).is_new
    with Index(tmp_path / "other") as index:
        with pytest.raises(MismatchError, match="document 'b' is not where it was"):
            index.load(tmp_path / "out", [rows[0], rows[2]])
        assert len(index) == 0
        assert index.load(tmp_path / "out", rows) == 3


def test_loading_into_what_is_there_judges_all_anew(where, tmp_path):
    first, second = site("en", "one", 8), site("en", "two", 8)
    dupdetect.dedup(second, sketches=True).write(tmp_path / "out")
    with Index(where) as index:
        index.add_many(first)
        index.load(tmp_path / "out")
        known, documents = index.boilerplate(), index.documents().read_all()
        found = dupdetect.dedup(documents, known_boilerplate=known)
        assert index.clusters().equals(found.clusters.drop_columns(["file", "row"]))


def test_it_is_explained_and_reported(where, tmp_path):
    with Index(where) as index:
        index.add_many({"a": STORY, "b": f"{STORY} One more line.", "c": OTHER})
        told = index.explain("a")
        assert told.cluster == index.cluster_of("a")
        assert told.match.relation == "near_duplicate"
        assert told.comparison is not None
        assert dupdetect.explain(index, "c").kept
        with pytest.raises(InputError, match="no document 'x'"):
            dupdetect.explain(where, "x")
        assert dupdetect.report(where, tmp_path / "page.html").stat().st_size > 1000
        assert len(index.result().kept) == 2


def test_what_is_removed_leaves_its_keys_until_they_are_merged(where, monkeypatch):
    monkeypatch.setattr(keys, "LOG_TEXTS", 4)
    texts = {f"id{number}": Writer("en", f"text {number}").story(2) for number in range(24)}
    with Index(where) as index:
        for id, text in texts.items():
            index.add(id, text)
        assert index.stats()["segments"] > 3
        index.remove([f"id{number}" for number in range(10)])
        assert all(index.query(texts[f"id{number}"]).is_new for number in range(10))
        assert all(not index.query(texts[f"id{number}"]).is_new for number in range(10, 24))
        index.vacuum()
        assert index.stats()["segments"] == 1
        assert all(not index.query(texts[f"id{number}"] + " And.").is_new for number in range(10, 24))
        assert index.verify() == []
        index.remove(list(texts))
        index.vacuum()
        assert (len(index), index.verify()) == (0, [])


def test_readers_see_no_half_of_an_add(where):
    pairs = [(Writer("en", f"pair {number}").story(1), number) for number in range(30)]
    faults, done = [], threading.Event()

    def read(index):
        while not done.is_set():
            table = index.clusters()
            if table.num_rows % 2:
                faults.append(table.num_rows)
            index.query(pairs[0][0])

    def run(index):
        try:
            read(index)
        except Exception as error:
            faults.append(error)

    with Index(where, workers=1) as index:
        readers = [threading.Thread(target=run, args=(index,)) for _ in range(3)]
        for reader in readers:
            reader.start()
        for text, number in pairs:
            index.add_many({f"{number}": text, f"copy {number}": f"{text} And."})
            if number % 7 == 6:
                index.remove([f"{number}", f"copy {number}"])
        done.set()
        for reader in readers:
            reader.join()
        assert faults == []
        assert index.verify() == []


def test_writers_take_turns_and_end_in_one_cluster(where):
    Index(where).close()

    def write(name):
        with Index(where, workers=1) as index:
            for number in range(6):
                index.add(f"{name} {number}", Writer("en", f"turn {number}").story(1))

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with Index(where) as index:
        assert len(index) == 18
        assert len(set(index.clusters()["cluster"].to_pylist())) == 6
        assert index.verify() == []


def test_metadata_is_json(where):
    when = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone.utc)
    with Index(where) as index:
        index.add("a", STORY, metadata={"tags": ["x", "ü"], "when": when, "n": 3})
        assert index.metadata("a") == json.loads(
            '{"tags": ["x", "\\u00fc"], "when": "2024-05-01T12:00:00+00:00", "n": 3}'
        )


def test_nothing_is_written_to_what_is_only_read(where):
    Index(where).close()
    with Index(where, read_only=True) as index:
        assert index.query(STORY).is_new
        with pytest.raises(OutputError, match="read only"):
            index.add("a", STORY)


@pytest.mark.parametrize("one_by_one", [True, False])
def test_of_hot_keys_a_few_documents_are_compared(where, one_by_one):
    """More documents than `hot_key_documents` have the same keys: copies of one, and pages of one site."""
    family = {f"copy {number}": f"{STORY} And number {number}." for number in range(20)}
    pages = {f"page {number}": page for number, page in enumerate(site("en", "hot", 20).values())}
    with Index(where, hot_key_documents=4) as index:
        if one_by_one:
            seen = [index.add(id, text) for id, text in {**family, **pages}.items()]
            assert all(not each.is_new for each in seen[1:20])
        else:
            index.add_many({**family, **pages})
        table = index.clusters().to_pylist()
        assert len({row["cluster"] for row in table[:20]}) < 4, "all with all is not promised"
        if not one_by_one:  # one batch is searched as a run is
            empty = index.boilerplate()
            run = dupdetect.dedup({**family, **pages}, hot_key_documents=4, known_boilerplate=empty)
            assert [row["cluster"] for row in table] == run.clusters["cluster"].to_pylist()
        assert not index.query(f"{STORY} And one more.").is_new
        assert index.verify() == []
        index.remove(list(family)[:10])
        assert index.verify() == []


def test_an_id_of_more_than_64_bits_is_refused(where):
    with Index(where) as index:
        index.add(1, STORY)
        with pytest.raises(InputError, match="does not fit into 64 bits"):
            index.add(1 << 64, STORY)
        assert (1 in index, 1 << 64 in index, "1" in index) == (True, False, False)


IDS = {
    "float64": pa.array([1.5, 2.25]),
    "decimal": pa.array(["1.10", "2.00"]).cast(pa.decimal128(5, 2)),
    "timestamp": pa.array([10**15, 10**15 + 1], pa.timestamp("us", "UTC")),
    "time": pa.array([5, 6], pa.time64("us")),
    "duration": pa.array([5, 6], pa.duration("s")),
    "binary": pa.array([b"a\xff", b"\0"]),
    "uint64": pa.array([2**64 - 1, 3], pa.uint64()),
    "bool": pa.array([True, False]),
    "uuid": pa.array([uuid.UUID(int=7), uuid.UUID(int=2**127)]),
    "fixed": pa.array([b"a\xff", b"\0\0"], pa.binary(2)),
    "category": pa.array(["x", "y"]).dictionary_encode(),
    "large_string": pa.array(["x", "y"], pa.large_string()),
    "large_binary": pa.array([b"x", b"\xff"], pa.large_binary()),
    "int16": pa.array([-5, 6], pa.int16()),
    "float32": pa.array([0.1, 2.5], pa.float32()),
    "small_decimal": pa.array([decimal.Decimal("0.1"), decimal.Decimal("-2.5")], pa.decimal32(5, 1)),
    "seconds": pa.array([5, 10**9], pa.timestamp("s")),
    "zone": pa.array([10**18 + 1, 5], pa.timestamp("ns", "Europe/Vienna")),
    "date": pa.array([datetime.date(2024, 1, 2), datetime.date(1900, 1, 1)], pa.date64()),
    "day": pa.array([datetime.date(2024, 1, 2), datetime.date(1900, 1, 1)], pa.date32()),
    "milliseconds": pa.array([5, 86399999], pa.time32("ms")),
    "fractions": pa.array([1, 1500], pa.duration("ms")),
}


@pytest.mark.filterwarnings("ignore:.*only what it kept is added")
@pytest.mark.parametrize("name", IDS)
def test_ids_of_any_type_are_what_they_were(name, where, tmp_path):
    """In every answer, of another process too, and through a run and back."""
    table = pa.table({"id": IDS[name], "text": [STORY, f"{STORY} More."]})
    ids, run = IDS[name].to_pylist(), dupdetect.dedup(table, sketches=True)
    with Index(where) as index:
        assert index.add_many(table)["id"].type == IDS[name].type
        assert index.add_many(table)["is_new"].to_pylist() == [False, False]
    with Index(where) as index:
        assert index.clusters().equals(run.clusters.drop_columns(["file", "row"]))
        assert index.matches().equals(run.matches)
        assert [match.id for match in index.query(STORY).matches] == ids
        assert index.query(STORY).cluster in ids
        again = index.add(ids[0], STORY)
        assert (again.id, again.cluster) == (ids[0], run.clusters["cluster"][0].as_py())
        assert [match.id for match in again.matches] == [ids[1]]
        assert index.cluster_of(ids[1]) == run.clusters["cluster"][1].as_py()
        assert index.documents().read_all()["id"].equals(table["id"])
        spelled = index.spelled(ids)
        assert index.typed([str(each) for each in spelled]) == ids or name == "bool"
        assert index.result().kept["id"].type == IDS[name].type
        assert all(each in index for each in ids)
        index.export(tmp_path / "out")
        assert index.remove([ids[1]]) == 1
        assert index.add(ids[1], OTHER).id == ids[1]
    run.write(tmp_path / "run")
    with Index(tmp_path / "loaded") as index:
        index.load(tmp_path / "run", table)
        written = pq.read_table(tmp_path / "run" / "clusters.parquet")  # which has no seconds, and one type of dates
        assert index.clusters().equals(written.drop_columns(["file", "row"]))
    with Index(tmp_path / "again") as index:
        index.load(tmp_path / "out")
        assert index.clusters()["id"].type == pq.read_schema(tmp_path / "out" / "clusters.parquet").field("id").type


def test_numbers_of_more_digits_are_ids_of_one_type(where):
    with Index(where) as index:
        for each in ("1.1", "12345.2", "-0.3"):
            assert index.add(decimal.Decimal(each), f"A text with the number {each} in it.").is_new
        assert sorted(index.clusters()["id"].to_pylist()) == [
            decimal.Decimal(each) for each in ("-0.3", "1.1", "12345.2")
        ]


def test_what_is_stored_of_a_match_is_of_the_version_of_the_schema():
    """A file of another layout could not be read: with the layout goes the version, and what brings files to it."""
    assert (schema.VERSION, EVIDENCE.itemsize) == (3, 127)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"id": None}, "the id is None; give every document an id"),
        ({"id": "a", "expires": float("nan")}, "which no calendar reaches"),
        ({"id": "a", "expires": float("inf")}, "which no calendar reaches"),
        ({"id": "a", "expires": 1_764_000_000_000.0}, "is it in milliseconds"),
    ],
)
def test_what_cannot_be_added_is_said(tmp_path, arguments, said):
    with dupdetect.Index(tmp_path / "x.dupindex") as index:
        with pytest.raises(dupdetect.InputError, match=said):
            index.add(text="A text.", **arguments)
        assert len(index) == 0
        assert index.verify() == []


def test_a_tab_may_be_spelled(tmp_path):
    (tmp_path / "a.csv").write_text("id\ttext\n1\tone text\n")
    with dupdetect.Index(tmp_path / "x.dupindex") as index:
        assert index.add_many(tmp_path / "a.csv", delimiter="tab")["id"].to_pylist() == ["1"]


def test_texts_without_words_that_come_again_are_not_new(where):
    """Blank ones have no text in the index, and were new each time."""
    rows = [
        {"id": "blank", "text": " \n"},
        {"id": "empty", "text": ""},
        {"id": "duck", "text": "🦆"},
        {"id": "a", "text": STORY},
    ]
    with Index(where) as index:
        assert index.add_many(rows)["is_new"].to_pylist() == [True] * 4
        assert index.add_many(rows)["is_new"].to_pylist() == [False] * 4
        assert index.add_many([*rows, {"id": "other", "text": ""}])["is_new"].to_pylist() == [False] * 4 + [True]
        assert not index.add("blank", " \n").is_new
        assert len(index) == 5
