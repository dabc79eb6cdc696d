import gc

import numpy as np
import psutil
import pyarrow as pa
import pytest

from dupdetect._storage.arrays import DiskStorage, Storage, resident_mapped


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
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
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
