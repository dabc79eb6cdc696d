"""The compiled twin in adverse circumstances: no cache, no numba, forks, threads, several processes."""

from __future__ import annotations

import multiprocessing
import os
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

from dupdetect._compiled import kernels
from dupdetect.sketches import minhash
from dupdetect.text.shingles import shingle_hashes, word_hashes
from dupdetect.text.words import words

TEXTS = ["The quick brown fox jumps over the lazy dog", "", "Ein Café in Zürich", "東京 2025"] * 50

WORKER = """
    import sys
    import numpy as np
    from dupdetect._compiled import kernels
    data = "one two three four five six seven".encode()
    offsets = np.array([0, len(data)])
    assert kernels.available()
    _, found = kernels.shingles(np.frombuffer(data, np.uint8), offsets, np.array([0]), shingle_size=2, workers=1,
                                distinct=False)
    print(found.tolist())
"""


def arrays(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *(len(data) for data in encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def sketch(texts: list[str], workers: int = 1, want_signatures: bool = True) -> tuple[np.ndarray, ...]:
    factors, terms = minhash.permutations(100, 1)
    data, offsets = arrays(texts)
    return kernels.sketch(
        data, offsets, shingle_size=3, window=4, factors=factors, terms=terms, bands=10, rows=10,
        workers=workers, want_signatures=want_signatures,
    )  # fmt: skip


def assert_same(got: tuple[np.ndarray, ...], expected: tuple[np.ndarray, ...]) -> None:
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def start(code: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(Path(kernels.__file__).parents[2]), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out.strip()


def expected_shingles() -> str:
    return str(shingle_hashes(word_hashes(words("one two three four five six seven")), 2).tolist())


def test_signatures_only_when_wanted() -> None:
    pytest.importorskip("numba")
    *with_signatures, signatures = sketch(TEXTS)
    *without, none = sketch(TEXTS, want_signatures=False)
    assert none is None
    assert signatures.dtype == np.uint32
    assert signatures.shape == (len(TEXTS), 100)
    assert_same(tuple(without), tuple(with_signatures))


def test_layouts_of_the_same_documents() -> None:
    """Writable or not, aligned or not, contiguous or not: one compiled function serves all."""
    pytest.importorskip("numba")
    data, offsets = arrays(TEXTS)
    unaligned = np.frombuffer(b"x" + offsets.tobytes(), np.uint8)[1:].view(np.int64)
    strided = np.repeat(offsets, 2)[::2]
    documents = np.arange(len(TEXTS))
    results = [
        kernels.shingles(data.copy(), bounds, documents, shingle_size=2, workers=1, distinct=True)
        for bounds in (offsets, unaligned, strided)
    ]
    assert_same(results[1], results[0])
    assert_same(results[2], results[0])


def test_chosen_documents() -> None:
    pytest.importorskip("numba")
    data, offsets = arrays(["a b", "c d e", "", "f"])
    bounds, values = kernels.shingles(data, offsets, np.array([3, 1, 1]), shingle_size=2, workers=1, distinct=False)
    assert bounds.tolist() == [0, 1, 3, 5]
    assert values[:1].tolist() == shingle_hashes(word_hashes(["f"]), 2).tolist()
    assert values[1:3].tolist() == values[3:].tolist() == shingle_hashes(word_hashes(["c", "d", "e"]), 2).tolist()


def test_many_threads_at_once() -> None:
    pytest.importorskip("numba")
    expected = sketch(TEXTS)
    results: list[tuple[np.ndarray, ...]] = []
    threads = [threading.Thread(target=lambda: results.append(sketch(TEXTS, workers=2))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    for result in results:
        assert_same(result, expected)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork_after_use() -> None:
    pytest.importorskip("numba")
    expected = sketch(TEXTS, workers=2)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for result in pool.starmap(sketch, [(TEXTS, 2)] * 4):
            assert_same(result, expected)


@pytest.mark.slow
def test_first_call_from_two_processes_at_once(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    processes = [start(WORKER, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    assert [output(process) for process in processes] == [expected_shingles()] * 2
    kept = list(tmp_path.rglob("*.nbc"))
    assert kept
    before = [path.stat().st_mtime_ns for path in kept]
    assert output(start(WORKER, NUMBA_CACHE_DIR=str(tmp_path))) == expected_shingles()
    assert [path.stat().st_mtime_ns for path in kept] == before, "compiled again"


@pytest.mark.slow
def test_damaged_cache(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    assert output(start(WORKER, NUMBA_CACHE_DIR=str(tmp_path))) == expected_shingles()
    for index in tmp_path.rglob("*.nbi"):
        index.write_bytes(index.read_bytes()[:100])
    assert output(start(WORKER, NUMBA_CACHE_DIR=str(tmp_path))) == expected_shingles()


@pytest.mark.slow
def test_no_place_for_a_cache() -> None:
    """Every place that numba could keep compiled code in refuses it: then nothing is kept."""
    pytest.importorskip("numba")
    refusing = """
        from numba.core import caching
        def refuse(self):
            raise PermissionError("read-only")
        caching._CacheLocator.ensure_cache_path = refuse
    """
    assert output(start(textwrap.dedent(refusing) + textwrap.dedent(WORKER))) == expected_shingles()


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    full = """
        import errno
        from numba.core import caching
        def refuse(self, *arguments):
            raise OSError(errno.ENOSPC, "No space left on device")
        caching.IndexDataCacheFile.save = refuse
    """
    code = textwrap.dedent(full) + textwrap.dedent(WORKER)
    assert output(start(code, NUMBA_CACHE_DIR=str(tmp_path))) == expected_shingles()


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_cache_directory(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert output(start(WORKER, NUMBA_CACHE_DIR=str(tmp_path))) == expected_shingles()


def test_without_numba_says_so_once() -> None:
    code = """
        import sys, warnings
        sys.modules["numba"] = None
        from dupdetect._compiled import kernels
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert not kernels.available()
            assert not kernels.available()
        print(len(caught), caught[0].message)
    """
    said = output(start(code))
    assert said.startswith("1 numba cannot be imported")
    assert "slow reference" in said
    assert "install numba" in said
