"""A process may fork whatever its threads do: the child can do what it can, and takes nothing from it."""

import os

import pytest
from forking import run_script

FORKING = """
    import os, signal, threading, time
    import dupdetect

    texts = [f"story {i} of the harbour and of the boats in it, number {i * i}" for i in range(40)] * 2

    def first():
        dupdetect.dedup(texts)
        dupdetect.compare(texts[0] * 9000, texts[1] * 9000)  # which is compiled

    def forked():
        child = os.fork()
        if child == 0:
            signal.alarm(40)
            found = dupdetect.dedup(texts)
            os._exit(0 if found.manifest["counts"]["kept"] == 40 else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    other = threading.Thread(target=first)
    other.start()
    codes = []
    while other.is_alive() and len(codes) < 4:
        time.sleep(0.1)
        codes.append(forked())
    other.join()
    print(codes, forked())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_is_not_held_up_by_a_thread_that_it_does_not_have(tmp_path):
    done = run_script(tmp_path / "forks.py", FORKING)
    assert (done.stderr, done.returncode) == ("", 0)
    codes, last = done.stdout.rsplit(" ", 1)
    assert set(codes.strip("[]").split(", ")) == {"0"}
    assert int(last) == 0


#: A thread in pyarrow's first conversion, which looks at pandas under a lock of its own, and is not in an import.
CONVERTING = """
    import os, signal, threading, time, types
    import pandas
    import dupdetect

    begun, version = threading.Event(), pandas.__dict__.pop("__version__")

    class Slow(types.ModuleType):
        @property
        def __version__(self):
            begun.set()
            time.sleep(1)
            return version

    pandas.__class__ = Slow
    texts = [f"story {i} of the harbour and of the boats in it, number {i * i}" for i in range(4)] * 2
    other = threading.Thread(target=dupdetect.dedup, args=(texts,))
    other.start()
    assert begun.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(40)
        os._exit(0 if dupdetect.dedup(texts).manifest["counts"]["kept"] == 4 else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    other.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_is_not_held_up_by_the_first_conversion_of_pyarrow(tmp_path):
    pytest.importorskip("pandas")
    done = run_script(tmp_path / "converting.py", CONVERTING)
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)


#: A run on disk whose texts stay in their file; `stored` are the files of its work.
ON_DISK = """
    import gc, os, signal, sys, tempfile, threading, time
    from pathlib import Path
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet
    import dupdetect
    import dupdetect.pipeline.request
    from dupdetect._storage import workspace
    from dupdetect.io import texts_again
    from forking import fork_while, forked

    dupdetect.pipeline.request.PART_BYTES, workspace.PROGRAM = 20_000, 1 << 40
    texts_again.BATCH_BYTES = 1_000
    tempfile.tempdir = sys.argv[1]
    texts = [f"story {i} of the harbour and of the boats in it, number {i * i}" for i in range(1_000)] * 2
    path = Path(sys.argv[1]) / "a.parquet"
    pyarrow.parquet.write_table(pa.table({"text": texts}), path, row_group_size=100)

    def stored():
        return sum(len(files) for *_, files in os.walk(sys.argv[1]))
"""

READ_ON = """
    from dupdetect.io.documents import stream

    again = stream(path)
    parts = list(again)
    files = again.texts_again()

    def text(row):
        [found] = files.texts(np.zeros(1, np.int32), np.array([row + 1])).to_pylist()
        assert found == texts[row], found

    text(1)  # now a thread reads ahead, and the row after the next is one that it reads
    codes = [forked(lambda: text(105))]
    text(105)

    begun, go_on = threading.Event(), threading.Event()

    def slow(*given):
        begun.set()
        go_on.wait(60)
        return real(*given)

    real, files._check = files._check, slow
    other = threading.Thread(target=text, args=(300,))
    other.start()
    begun.wait(60)
    files._check = real
    codes.append(forked(lambda: text(400)))  # while another thread holds the lock
    go_on.set()
    other.join()
    print(codes)
"""

TAKE_NOTHING = """
    result = dupdetect.dedup(path)
    before = stored()
    assert before > 5, before

    def let_go():
        global result
        del result
        gc.collect()

    codes = [forked(result.close), forked(let_go), forked(sys.exit), forked(lambda: result.kept.num_rows)]
    assert stored() == before, (stored(), before)
    assert result.kept.num_rows == 1_000
    result.close()
    assert stored() == 1
    print(codes)
"""

HELD = """
    from dupdetect._storage.arrays import DiskStorage
    from dupdetect._storage import lost_pages

    result = dupdetect.dedup(path)
    codes = [fork_while(lambda: result.workspace.storage._lock, result.workspace.storage.check)]
    codes.append(fork_while(lambda: lost_pages._LOCK, lambda: dupdetect.dedup(path).close()))
    print(codes)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize(
    ("what", "children"),
    [(READ_ON, 2), (TAKE_NOTHING, 4), (HELD, 2)],
    ids=["texts are read on", "nothing is taken from the parent", "locks of other threads"],
)
def test_a_child_goes_on_with_what_its_parent_has(tmp_path, what, children):
    folder = tmp_path / "folder"
    folder.mkdir()
    done = run_script(tmp_path / "children.py", ON_DISK + what, folder)
    assert (done.stdout, done.stderr, done.returncode) == (f"{[0] * children}\n", "", 0)
