"""Odd use of an index: what is no id, moment or metadata, ids that come twice, look-ups before there is anything."""

import datetime
import decimal
import json
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from generated_sites import Writer
from postgres_server import database

import dupdetect
from dupdetect import Index, InputError, SettingsError
from dupdetect.cli.main import main

STORIES = {language: Writer(language, "odd").story(2) for language in ("en", "zh", "ar", "th", "ru")}
STORY, OTHER = STORIES["en"], Writer("en", "odd other").story(2)
KNOWN = Writer("en", "odd known").story(2)
UTC = datetime.timezone.utc


@pytest.fixture
def index(tmp_path):
    with Index(tmp_path / "news.dupindex", workers=1) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request, tmp_path):
    return str(tmp_path / "x.dupindex") if request.param == "sqlite" else database()


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (b"a", "a"),
        (datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1)),
        (datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1, 5)),
        (datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=UTC)),
        (np.float32(0.1), 0.1),
        (uuid.UUID(int=1), b"x"),
        (uuid.UUID(int=1), "x"),
    ],
)
def test_an_id_of_another_type_takes_no_other_s_place(index, first, other):
    """Arrow makes bytes of a string and a date of a moment, where it is asked for these: two ids would be one."""
    index.add(first, STORY)
    before = index.clusters()
    with pytest.raises(InputError, match="these ids are"):
        index.add(other, OTHER)
    assert other not in index
    assert index.text(first) == STORY
    assert index.clusters().equals(before)


@pytest.mark.parametrize(
    ("first", "same"),
    [
        (1, np.int64(1)),
        (np.int8(1), 1),
        (np.uint64(5), 5),
        (uuid.UUID(int=1), uuid.UUID(int=1).bytes),
        (decimal.Decimal("1.10"), decimal.Decimal("1.1")),
        (datetime.datetime(2020, 1, 1, tzinfo=UTC), datetime.datetime(2020, 1, 1, 1, tzinfo=datetime.timezone.max)),
        (b"a", bytearray(b"a")),
        (-(2**63), -(2**63)),
    ],
)
def test_an_id_in_another_guise_is_the_same(index, first, same):
    if isinstance(first, datetime.datetime):
        same = first.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    index.add(first, STORY)
    assert not index.add(same, STORY).is_new
    assert len(index) == 1


def test_what_is_looked_for_says_nothing_of_the_type_of_ids(where):
    with Index(where) as index:
        assert 5 not in index
        assert index.remove([5]) == 0
        with pytest.raises(KeyError):
            index.text(5)
        assert index.add("a", STORY).is_new
        with pytest.raises(InputError, match="these ids are int64"):
            index.remove([5])


def test_what_could_not_be_added_says_nothing_of_the_type_of_ids(index):
    for wrong in ({"metadata": {"a": b"x"}}, {"expires": "soon"}):
        with pytest.raises(InputError):
            index.add(1, STORY, **wrong)
    for wrong in ({"metadata": ["z"]}, {"expires": "z"}):
        with pytest.raises(InputError, match="there is no column 'z'"):
            index.add_many([{"id": 1, "text": STORY}], **wrong)
    assert index.add("a", STORY).is_new


@pytest.mark.parametrize("rows", [[{"id": 1, "text": None}], [{"id": 1, "text": None}, {"id": None, "text": STORY}]])
def test_an_input_of_rejects_alone_is_an_error(index, rows):
    told = []
    with pytest.raises(InputError, match=f"no row could be used: all {len(rows)} were rejected"):
        index.add_many(rows)
    with pytest.raises(InputError, match="no row could be used"):
        index.add_many(rows, rejected=told.append)
    assert [table.num_rows for table in told] == [len(rows)]
    assert index.add_many(rows[:0]).num_rows == 0


def test_a_part_of_rejects_alone_is_passed_over(index, monkeypatch):
    monkeypatch.setattr("dupdetect.index.batches.PART_BYTES", 1)
    texts = pa.chunked_array([[None, None], [STORIES["zh"]], [None], [STORIES["ar"]]], pa.string())
    with pytest.warns(UserWarning, match="3 of 5 rows are rejected"):
        assert index.add_many(pa.table({"id": range(5), "text": texts}))["id"].to_pylist() == [2, 4]


@pytest.mark.parametrize("language", STORIES)
def test_of_an_id_that_comes_twice_at_once_the_row_that_counts_is_new(index, language):
    """The other's text is in no document: it goes on as little as its document."""
    story, copy = STORIES[language], f"{STORIES[language]}\n"
    index.add("known", KNOWN)
    rows = [("x", KNOWN), ("x", story), ("y", copy), ("x", story), ("z", OTHER), ("z", KNOWN)]
    told = index.add_many([{"id": id, "text": text} for id, text in rows])
    assert told["id"].to_pylist() == [id for id, _ in rows]
    represents = index.cluster_of("x")
    new = [place for place, is_new in enumerate(told["is_new"].to_pylist()) if is_new]
    assert new == ([3] if represents == "x" else [2])
    assert index.text("x") == story
    assert index.text("z") == KNOWN


def test_metadata_keep_their_types(index):
    given = {"a": np.int64(3), "b": np.float32(0.5), "c": np.array([1, 2]), "d": pa.scalar(4), "e": np.bool_(True)}
    index.add("a", STORY, metadata=given)
    assert index.metadata("a") == {"a": 3, "b": 0.5, "c": [1, 2], "d": 4, "e": True}
    index.add("b", OTHER, metadata={"a": decimal.Decimal("1.10"), "b": uuid.UUID(int=1), "c": datetime.time(1)})
    assert index.metadata("b") == {"a": "1.10", "b": str(uuid.UUID(int=1)), "c": "01:00:00"}
    for wrong in ({1, 2}, object(), b"x", 1j):
        with pytest.raises(InputError, match="the metadata cannot be JSON"):
            index.add("c", STORY, metadata={"a": wrong})


def test_a_number_of_numpy_ranks_as_one_of_python(tmp_path):
    with Index(tmp_path / "p.dupindex", canonical="priority") as index:
        index.add("a", STORY, metadata={"priority": 3})
        index.add("b", STORY, metadata={"priority": np.int64(2)})
        assert index.cluster_of("a") == "b"


@pytest.mark.parametrize(
    ("column", "expiring"),
    [
        (pa.array([None, None], pa.null()), 0),
        (pa.array([None, np.datetime64("2020-01-01T00:00:00.000000001")], pa.timestamp("ns")), 1),
        (pa.array([None, datetime.datetime(2020, 1, 1, tzinfo=UTC)], pa.timestamp("ns", "Europe/Vienna")), 1),
        (pa.array([5, None], pa.timestamp("s")), 1),
        (pa.array([datetime.date(2020, 1, 1), None]), 1),
    ],
)
def test_documents_expire_by_columns_of_any_dates(index, column, expiring):
    index.add_many(pa.table({"id": ["a", "b"], "text": [STORY, OTHER], "until": column}), expires="until")
    assert index.stats()["expiring"] == expiring
    assert index.expire() == expiring


@pytest.mark.parametrize(
    "column",
    [
        pa.array([datetime.time(1)]),
        pa.array([datetime.timedelta(1)]),
        pa.array([2**62], pa.timestamp("s")),
        pa.array([True]),
    ],
)
def test_columns_that_are_no_dates_are_refused(index, column):
    with pytest.raises(InputError, match="column 'until'"):
        index.add_many(pa.table({"id": ["a"], "text": [STORY], "until": column}), expires="until")
    assert len(index) == 0


def test_a_moment_may_be_a_number_of_numpy(index):
    index.add("a", STORY, expires=np.int64(5))
    index.add("b", OTHER, expires=np.float32(5))
    assert index.expire(before=np.int64(6)) == 2


@pytest.mark.parametrize("wait", ["x", -1, float("nan"), None, True])
def test_a_wait_is_a_number_of_seconds(tmp_path, wait):
    with pytest.raises(SettingsError, match="wait is"):
        Index(tmp_path / "x.dupindex", wait=wait)
    assert not (tmp_path / "x.dupindex").exists()


@pytest.mark.parametrize("wait", [float("inf"), 1e20])
def test_an_index_may_be_waited_for_for_ever(where, wait):
    with Index(where, wait=wait) as index:
        assert index.add("a", STORY).is_new


@pytest.mark.parametrize("name", ["x\0y", "a" * 300, "/dev/null"])
def test_what_can_be_no_file_is_refused_in_a_sentence(name):
    with pytest.raises(InputError, match=r"no file of this name can be|this is a device"):
        Index(name)


def test_a_run_with_ids_that_end_like_others_is_loaded_as_it_was(tmp_path):
    """Of a folder, ids are the names of its files; others are ids as they stand."""
    path = tmp_path / "night.jsonl"
    rows = [("https://one/b", STORY), ("https://one/b", OTHER), ("b", STORIES["ru"]), ("c", OTHER)]
    path.write_text("".join(json.dumps({"id": id, "text": text}) + "\n" for id, text in rows))
    with pytest.warns(UserWarning, match="rejected"):
        dupdetect.dedup(path, sketches=True).write(tmp_path / "out")
    with Index(tmp_path / "x.dupindex") as index:
        assert index.load(tmp_path / "out") == 3
        assert [index.text(id) for id in ("https://one/b", "b", "c")] == [STORY, STORIES["ru"], OTHER]


def test_an_index_that_was_closed_says_so(tmp_path):
    index = Index(tmp_path / "x.dupindex")
    index.add("a", "A text.")
    index.close()
    for use in (lambda: index.add("b", "Another."), lambda: index.query("A text."), lambda: len(index)):
        with pytest.raises(InputError, match="the index was closed"):
            use()
    index.close()
    with Index(tmp_path / "x.dupindex") as again:
        assert len(again) == 1


def test_one_id_and_one_column_need_no_list(index):
    index.add_many([{"id": 7, "text": STORY, "site": "a"}, {"id": 8, "text": OTHER, "site": "b"}], metadata="site")
    assert index.metadata(7) == {"site": "a"}
    assert index.remove(7) == 1
    assert index.remove([7, 8]) == 1
    with pytest.raises(InputError, match="an id is missing"):
        index.remove(None)


def test_a_question_that_is_no_text_is_refused_without_an_id(index):
    with pytest.raises(InputError, match=r"^the text is of type NoneType; expected a string"):
        index.query(None)
    with pytest.raises(InputError, match=r"^the text cannot be UTF-8"):
        index.query("\ud800")


def test_a_closed_index_can_be_shown(tmp_path):
    with Index(tmp_path / "news.dupindex") as index:
        assert repr(index).endswith("news.dupindex': 0 documents)")
    assert repr(index).endswith("news.dupindex': closed)")


def test_a_null_among_the_values_of_a_dictionary_of_ids_is_a_reject(index):
    ids = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int8()), pa.array(["a", None, "c"]))
    rejects = []
    index.add_many(pa.table({"id": ids, "text": ["one", "two", "three"]}), rejected=rejects.append)
    assert all(id in index for id in ("a", "c"))
    assert [reject["row"] for table in rejects for reject in table.to_pylist()] == [1]


def test_ids_of_an_extension_type_are_exported(index, tmp_path):
    ids = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', '{"a": 2}']))
    index.add_many(pa.table({"id": ids, "text": ["one", "two"]}))
    assert main(["index", "export", str(tmp_path / "news.dupindex"), "-o", str(tmp_path / "out")]) == 0
    assert pq.read_table(tmp_path / "out/clusters.parquet")["id"].type == pa.json_()
