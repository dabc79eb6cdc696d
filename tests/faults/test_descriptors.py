"""A run keeps at most 64 files open, whatever the size of the corpus."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dupdetect._storage.arrays import DiskStorage, resident_mapped

CODE = """
import os, resource, sys, threading, time
import numpy as np
import dupdetect.pipeline.request
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
dupdetect.pipeline.request.PART_BYTES = 20_000
rng, words = np.random.default_rng(0), np.array([f"w{i}" for i in range(500)])
texts = [" ".join(rng.choice(words, 200)) for _ in range(3_000)]
texts += texts[:500]
result = dupdetect.dedup(texts, work=sys.argv[1] + "/work", resume=True, workers=2)
parts = len([name for name in os.listdir(sys.argv[1] + "/work") if name.endswith("texts.arrow")])
result.write(sys.argv[1] + "/out")
result.close()
print(parts, result.manifest["counts"]["duplicates"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sets limits as Linux has them")
def test_at_most_sixty_four_files_are_open(tmp_path):
    command = [
        sys.executable,
        "-c",
        CODE.replace("import dupdetect\n", "import dupdetect, dupdetect.pipeline.request\n"),
    ]
    ran = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-1000:]
    parts, duplicates = map(int, ran.stdout.split())
    assert parts > 100
    assert duplicates == 500


MANY_THREADS = """
import resource, sys
import dupdetect
from generated_sites import site
pages = [text for number in range(4) for text in site("en", f"site {number}", 30).values()]
dupdetect.dedup(pages, workers=1)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
result = dupdetect.dedup(pages, work=sys.argv[1] + "/work", resume=True, workers=16)
print(result.manifest["counts"]["boilerplate_shingles"])
result.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sets limits as Linux has them")
def test_no_more_of_them_where_many_threads_count_what_is_boilerplate(tmp_path):
    tests = str(Path(__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", MANY_THREADS, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr[-1000:]
    assert int(ran.stdout) > 100


@pytest.mark.skipif(sys.platform != "linux", reason="asks for mapped memory as Linux tells it")
def test_pages_of_mapped_files_can_be_let_go(tmp_path):
    (tmp_path / "a").write_bytes(bytes(64 << 20))
    storage = DiskStorage(tmp_path, 1 << 30)
    resident = resident_mapped()
    values = storage.array(tmp_path / "a", "uint8")
    before = resident()
    assert values[::4096].sum() == 0
    assert resident() - before > 60 << 20
    storage.release()
    assert resident() - before < 4 << 20
    assert values[::4096].sum() == 0  # and are there again
