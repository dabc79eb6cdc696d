"""Texts of Parquet files that are read again: the same, in any order, or an error if the file is another."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from xxhash import xxh3_64_intdigest

import dupdetect
from dupdetect.errors import InputError
from dupdetect.io import texts_again
from dupdetect.io.documents import stream
from dupdetect.io.texts_again import TextsInFiles, checksums

SOME = ["bridge", "", "橋は閉まった", "สะพานปิด", "الجسر", "мост", "पुल", "🌉🚧", "harbour", "last " * 50, "b", "c", "d"]


@pytest.fixture(params=[1, 100, 8 << 20], ids=["one", "some", "all"], autouse=True)
def batches(monkeypatch, request):
    monkeypatch.setattr(texts_again, "BATCH_BYTES", request.param)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "input"
    made.mkdir()
    return made


def write(path, texts, type_=None, **options):
    pyarrow.parquet.write_table(
        pa.table({"n": range(len(texts)), "text": pa.array(texts, type_ or pa.string())}), path, **options
    )
    return path


def files_of(path, text="text"):
    return stream(path, text=text).texts_again()


def rows(*numbers):
    return np.array(numbers, np.int64) + 1


def zeros(n):
    return np.zeros(n, np.int32)


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("group", [1, 3, 100])
def test_rows_are_read_in_any_order(folder, group, type_):
    files = files_of(write(folder / "a.parquet", SOME, type_, row_group_size=group))
    everything = list(range(len(SOME)))
    for wanted in (everything, [0], [1, 2, 9], [10, 12], [3], [0, 12], [11], [11], [], [12], everything):
        found = files.texts(zeros(len(wanted)), rows(*wanted))
        assert found.type == pa.large_string()
        assert found.to_pylist() == [SOME[row] for row in wanted]


def test_of_several_files_each_is_read_for_its_rows(folder):
    for number in range(3):
        write(folder / f"{number}.parquet", [f"{number}: {text}" for text in SOME], row_group_size=4)
    files = files_of(folder)
    file, row = np.repeat(np.arange(3, dtype=np.int32), 2), rows(1, 9, 0, 12, 4, 5)
    expected = [f"{number}: {SOME[at - 1]}" for number, at in zip(file.tolist(), row.tolist(), strict=True)]
    assert files.texts(file, row).to_pylist() == expected
    assert files.texts(file[2:3], row[2:3]).to_pylist() == [f"1: {SOME[0]}"]


def test_texts_that_a_dictionary_holds_are_whole(folder):
    texts = [f"the same long text {row % 3} " * 40 for row in range(3_000)]
    files = files_of(write(folder / "a.parquet", texts))
    wanted = [0, 1, 2, 1_500, 2_999]
    assert files.texts(zeros(5), rows(*wanted)).to_pylist() == [texts[row] for row in wanted]


def test_row_groups_between_are_not_read(folder, monkeypatch):
    files = files_of(write(folder / "a.parquet", [f"text {row}" for row in range(100)], row_group_size=10))
    read, real = [], texts_again.row_group

    def counted(file, source, metadata, number, *more):
        read.append(number)
        return real(file, source, metadata, number, *more)

    monkeypatch.setattr(texts_again, "row_group", counted)
    assert files.texts(zeros(2), rows(5, 95)).to_pylist() == ["text 5", "text 95"]
    assert set(read) <= {0, 1, 9}  # one may have been read ahead


@pytest.mark.parametrize("how", ["rewritten", "removed", "longer"])
def test_a_file_that_has_changed_is_an_error(folder, how):
    path = write(folder / "a.parquet", SOME)
    files = files_of(path)
    assert files.texts(zeros(1), rows(0)).to_pylist() == SOME[:1]
    path.unlink()
    if how != "removed":
        write(path, [*SOME, "more"] if how == "longer" else [text.upper() for text in SOME])
    with pytest.raises(InputError, match=r"a\.parquet: was changed since it was read"):
        files.texts(zeros(1), rows(1))


def test_a_file_that_hides_its_change_is_known_by_checksums_of_texts(folder):
    files = files_of(write(folder / "a.parquet", ["one text", "another text"]))
    sums = checksums(pa.array(["one text", "another test"]))
    texts = TextsInFiles(files, zeros(2), rows(0, 1), np.array([8, 12]), sums)
    assert texts.some(np.array([0])).to_pylist() == ["one text"]
    for read in (lambda: texts.some(np.array([0, 1])), texts.originals):
        with pytest.raises(InputError, match=r"a\.parquet: was changed since it was read"):
            read()


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), pa.string_view()])
def test_a_checksum_is_that_of_the_bytes_of_a_text(type_):
    expected = [xxh3_64_intdigest(text.encode()) for text in SOME]
    whole = pa.array(SOME, type_)
    assert checksums(whole).tolist() == expected
    assert checksums(whole.slice(2, 4)).tolist() == expected[2:6]
    assert checksums(pa.chunked_array([whole.slice(1), whole])).tolist() == [*expected[1:], *expected]
    assert checksums(whole[:0]).dtype == np.uint64


def test_texts_are_cleaned_anew_and_originals_are_not(folder):
    given = ["plain", "x\xa0y"]
    files = files_of(write(folder / "a.parquet", given))
    texts = TextsInFiles(
        files, zeros(2), rows(0, 1), np.array([5, 3]), clean=lambda texts, _: pa.array(["plain", "x y"], texts.type)
    )
    assert texts.some(np.array([0, 1])).to_pylist() == ["plain", "x y"]
    assert texts.originals().to_pylist() == given
    assert len(texts) == 2
    assert texts.nbytes == 8


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet.gz", "a.tar"])
def test_other_files_are_not_read_again(tmp_path, name):
    import gzip
    import tarfile

    path, inner = tmp_path / name, write(tmp_path / "inner.parquet", SOME)
    if name.endswith(".tar"):
        with tarfile.open(path, "w") as archive:
            archive.add(inner, "inner.parquet")
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(inner.read_bytes()))
    else:
        path.write_text('{"text": "one"}\n' if name.endswith("l") else "text\none\n")
    assert files_of(path) is None
    assert files_of(inner) is not None


def test_data_in_memory_are_not_read_again():
    assert files_of(pa.table({"text": SOME})) is None


def stored_texts(work):
    return [path.name for path in work.iterdir() if ".texts." in path.name]


def story(row):
    """Return one of 20 stories, each in three copies, of which one has a word more."""
    words = np.random.default_rng(row % 20).integers(10_000, size=80)
    return "It was number " + " ".join(f"w{word}" for word in words) + (" more" if row >= 40 else "")


LONG = [story(row) for row in range(60)]


def both(path, work, **options):
    """Return a run in memory, and the same on disk."""
    return dupdetect.dedup(path, **options), dupdetect.dedup(path, work=work, resume=True, **options)


def assert_equal(one, other):
    for name in ("clusters", "matches", "kept", "removed", "annotated", "boilerplate"):
        assert getattr(one, name).equals(getattr(other, name)), name


@pytest.mark.parametrize("broken", [False, True], ids=["clean", "to be cleaned"])
def test_texts_of_a_run_on_disk_stay_in_their_file(folder, tmp_path, monkeypatch, broken):
    monkeypatch.setattr("dupdetect.pipeline.request.PART_BYTES", 1_000)
    texts = [text.replace("was", "wa\xads") for text in LONG] if broken else LONG
    path = write(folder / "a.parquet", texts, row_group_size=7)
    whole, disk = both(path, tmp_path / "work")
    assert len(whole.groups()) > 3
    assert stored_texts(tmp_path / "work") == []
    assert_equal(whole, disk)
    assert disk.kept["text"].to_pylist()[0] == texts[0]  # as it came
    disk.close()


@pytest.mark.parametrize("text", ["body.content", ["title", "text"], "words"])
def test_texts_that_are_made_of_columns_are_stored(folder, tmp_path, monkeypatch, text):
    monkeypatch.setattr("dupdetect.pipeline.request.PART_BYTES", 1_000)
    table = pa.table(
        {
            "title": [f"title {row % 5}" for row in range(len(LONG))],
            "text": LONG,
            "body": [{"content": text} for text in LONG],
            "words": [text.split() for text in LONG],
        }
    )
    pyarrow.parquet.write_table(table, folder / "a.parquet", row_group_size=7)
    options = {"words": "words"} if text == "words" else {}
    whole, disk = both(folder / "a.parquet", tmp_path / "work", text=text, **options)
    assert stored_texts(tmp_path / "work") != []
    assert_equal(whole, disk)
    disk.close()


def at_spaces(text):
    """Cut a text into words."""
    return text.split()


def test_texts_that_a_callable_cuts_are_stored(folder, tmp_path):
    path = write(folder / "a.parquet", LONG)
    disk = dupdetect.dedup(path, work=tmp_path / "work", resume=True, words=at_spaces)
    assert stored_texts(tmp_path / "work") != []
    disk.close()


def test_rows_of_a_file_that_has_changed_are_not_read(folder, tmp_path):
    path = write(folder / "a.parquet", LONG)
    _, disk = both(path, tmp_path / "work")
    known = path.stat()
    write(path, [text.upper() for text in LONG])
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns + 1))
    with pytest.raises(InputError, match=r"a\.parquet: was changed since it was read"):
        disk.kept  # noqa: B018 - it is read here
    assert disk.clusters.num_rows == len(LONG)
    disk.close()


@pytest.mark.parametrize("kind", ["flat", "in a list", "in an object"])
def test_files_of_one_part_may_have_other_categories_each(folder, tmp_path, kind):
    """Such a run ended in an error as soon as it did not fit in memory."""
    columns = [pa.array([f"category {at}"]).dictionary_encode() for at in range(len(LONG))]
    if kind == "in a list":
        columns = [pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), column) for column in columns]
    if kind == "in an object":
        columns = [pa.StructArray.from_arrays([column], ["x"]) for column in columns]
    for number, text in enumerate(LONG):
        table = pa.table({"text": [text], "more": columns[number]})
        pyarrow.parquet.write_table(table, folder / f"{number:02}.parquet")
    whole, disk = both(folder, tmp_path / "work", id="none")
    assert_equal(whole, disk)
    disk.close()
