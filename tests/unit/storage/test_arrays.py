import gc
import os
import threading
import time

import numpy as np
import psutil
import pyarrow as pa
import pytest

from dupdetect._storage import arrays
from dupdetect._storage.arrays import DiskStorage, Storage, resident_mapped
from dupdetect.errors import OutputError


@pytest.fixture(params=["memory", "disk"])
def storage(request, tmp_path):
    with Storage() if request.param == "memory" else DiskStorage(tmp_path, 1 << 30) as storage:
        yield storage


def test_a_column_is_what_was_appended(storage):
    column = storage.growing_array(np.int32)
    assert (len(column), column.values.tolist(), column.values.dtype) == (0, [], np.int32)
    views = []
    for length in (3, 0, 1, 500, 2):
        column.append(np.full(length, length))
        views.append(column.values)
    expected = [3] * 3 + [1] + [500] * 500 + [2] * 2
    assert column.values.tolist() == expected
    assert [view.tolist() for view in views] == [expected[: len(view)] for view in views]
    assert [len(view) for view in views] == [3, 3, 4, 504, 506]
    assert column.values.dtype == np.int32


@pytest.mark.parametrize("expected", [0, 1, 5, 1000])
def test_a_column_is_what_was_appended_however_much_was_expected(storage, expected):
    column, views = storage.growing_array(np.int32), []
    for first in range(0, 60, 6):
        column.append(np.arange(first, first + 6), expected)
        views.append(column.values)
    assert column.values.tolist() == list(range(60))
    assert [view.tolist() for view in views] == [list(range(end)) for end in range(6, 66, 6)]


def test_a_column_has_room_for_what_was_expected():
    column = Storage().growing_array(np.int64)
    column.append(np.arange(10), 20)
    place = column.values.ctypes.data
    column.append(np.arange(20))
    assert column.values.ctypes.data == place
    column.append(np.arange(1))
    assert column.values.tolist() == [*range(10), *range(20), 0]


def test_parts_are_gathered_in_any_order(storage):
    column = storage.growing_array(np.int64)
    column.append(np.arange(100))
    starts, lengths = np.array([90, 5, 5, 40, 0]), np.array([10, 3, 0, 2, 1])
    expected = [*range(90, 100), 5, 6, 7, 40, 41, 0]
    assert column.gather(starts, lengths).tolist() == expected
    assert column.gather(starts[:0], lengths[:0]).tolist() == []


def test_a_column_is_read_only(storage):
    column = storage.growing_array(np.uint64)
    column.append(np.arange(3))
    with pytest.raises(ValueError, match="read-only"):
        column.values[0] = 1


def test_columns_on_disk_leave_nothing(tmp_path):
    with DiskStorage(tmp_path, 1 << 30) as storage:
        column = storage.growing_array(np.int64)
        column.append(np.arange(1000))
        assert not list(tmp_path.iterdir())
        assert column.values.sum() == 499500
        del column
        gc.collect()


@pytest.fixture
def full(tmp_path, monkeypatch):
    """Give a storage that lets go of its pages all the time."""
    monkeypatch.setattr(arrays, "resident_mapped", lambda: iter([0, *[1 << 40] * 10**6]).__next__)
    return DiskStorage(tmp_path, 1 << 30)


def test_a_finaliser_may_leave_it_while_it_holds_what_the_watch_waits_for(full):
    """Garbage is collected wherever it is: the two waited for each other."""
    with full, full._lock:
        time.sleep(0.1)
        full.__exit__()
        assert full._done.is_set()


def test_a_finaliser_may_leave_it_on_the_thread_that_watches(full, monkeypatch):
    left = threading.Event()

    def collected():
        full.__exit__()
        left.set()

    monkeypatch.setattr(full, "release", collected)
    with full:
        assert left.wait(10)


def test_only_storage_on_disk_has_bounds(tmp_path):
    assert Storage().array_bytes is None
    assert 0 < DiskStorage(tmp_path, 1 << 30).array_bytes < 1 << 30


@pytest.mark.skipif(resident_mapped() is None, reason="this system does not tell what is mapped and resident")
def test_what_is_mapped_keeps_to_its_share(tmp_path):
    memory = 200 << 20
    before = resident_mapped()()
    with DiskStorage(tmp_path, memory) as storage:
        column = storage.growing_array(np.uint8)
        for _ in range(30):
            column.append(np.ones(10 << 20, np.uint8))
        values, most, total = column.values, 0, 0
        for start in range(0, len(values), 1 << 20):
            total += int(values[start : start + (1 << 20)].sum())
            most = max(most, resident_mapped()() - before)
        assert total == 300 << 20
        storage.release()
        assert resident_mapped()() - before < 20 << 20
    assert most < 250 << 20  # a part of what was looked at, though all of it was


def test_a_mapped_table_outlives_the_file_and_its_pages(tmp_path):
    table = pa.table({"text": pa.array(["一つ", "สอง", "ثلاثة", "🙂"], pa.large_string()), "n": [1, 2, 3, 4]})
    path = tmp_path / "table.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    with DiskStorage(tmp_path, 1 << 30) as storage:
        mapped = storage.table(path)
        storage.release()
        path.unlink()
        gc.collect()
        assert mapped.equals(table)


def test_memory_in_use_does_not_grow_with_a_column_on_disk(tmp_path):
    process = psutil.Process()
    with DiskStorage(tmp_path, 512 << 20) as storage:
        column = storage.growing_array(np.uint64)
        block = np.arange(1 << 20, dtype=np.uint64)
        before = process.memory_info().rss
        for _ in range(40):
            column.append(block)
        assert len(column) == 40 << 20
        assert process.memory_info().rss - before < 64 << 20


def test_parts_are_gathered(storage):
    array = storage.growing_array(np.uint64)
    for start in range(0, 60, 7):
        array.append(np.arange(start, start + 7, dtype=np.uint64))
    starts, lengths = np.array([40, 3, 3, 9]), np.array([5, 2, 0, 11], np.int32)
    expected = [value for start, length in zip(starts, lengths, strict=True) for value in range(start, start + length)]
    found = array.gather(starts, lengths)
    assert found.tolist() == expected
    assert not found.flags.writeable  # as `values` is: compiled code knows them for one kind of array
    assert array.gather(starts[:0], lengths[:0]).tolist() == []


def test_parts_that_follow_one_another_are_read_as_one(tmp_path, monkeypatch):
    reads, chance = [], np.random.default_rng(5)
    monkeypatch.setattr(arrays.os, "preadv", lambda *given, read=os.preadv: reads.append(given) or read(*given))
    with DiskStorage(tmp_path, 1 << 30) as storage:
        array = storage.growing_array(np.int32)
        array.append(np.arange(1000, dtype=np.int32))
        assert array.gather(np.arange(0, 1000, 10), np.full(100, 10)).tolist() == list(range(1000))
        assert len(reads) == 1
        for _ in range(50):
            starts = chance.integers(0, 40, 30)
            lengths = chance.integers(0, 4, 30)
            expected = np.concatenate(
                [np.arange(start, start + length) for start, length in zip(starts, lengths, strict=True)]
            )
            assert array.gather(starts, lengths).tolist() == expected.tolist()


def test_a_file_that_is_cut_short_while_it_is_read_is_an_error(tmp_path):
    with DiskStorage(tmp_path, 1 << 20) as storage:
        array = storage.growing_array(np.uint64)
        array.append(np.arange(9, dtype=np.uint64))
        os.truncate(array._file.fileno(), 8)
        with pytest.raises(OutputError, match="was cut short; start the run anew"):
            array.gather(np.array([0]), np.array([9]))


def test_tables_are_let_go_though_nobody_holds_what_was_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "SMALL", 0)
    path = tmp_path / "table.arrow"
    table = pa.table({"text": pa.array(["word " * 1000] * 4000, pa.large_string())})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    storage = DiskStorage(tmp_path, 1 << 20)  # not entered: nobody watches
    mapped = storage.table(path)
    gc.collect()
    assert mapped.equals(table)
    if (resident := resident_mapped()) is not None:
        before = resident()
        storage.release()
        assert before - resident() > 10 << 20
    assert mapped.equals(table)


def test_who_looks_at_what_is_mapped_goes_on_when_no_file_can_be_opened(tmp_path, monkeypatch):
    """The kernel tells it in a file: an error there ended the thread, and nothing was unmapped any more."""
    answers, released = iter([0, OSError(24, "Too many open files")]), threading.Event()

    def resident():
        answer = next(answers, 1 << 40)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(arrays, "resident_mapped", lambda: resident)
    storage = arrays.DiskStorage(tmp_path, 1 << 30)
    monkeypatch.setattr(storage, "release", released.set)
    with storage:
        assert released.wait(20)
