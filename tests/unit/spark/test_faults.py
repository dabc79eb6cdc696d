"""Spark Connect, workers that are killed, and a driver that is: each a process of its own, the result as ever."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent

#: Runs on Spark and on one machine, and says whether both found the same.
SCRIPT = """
import sys, warnings
warnings.simplefilter("ignore")
sys.path += {paths!r}
from pyspark.sql import SparkSession
builder = SparkSession.builder
builder = builder.remote("local[2]") if {connect} else builder.master("local[2,20]")
options = {{"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.host": "127.0.0.1"}}
for name, value in options.items():
    builder = builder.config(name, value)
session = builder.getOrCreate()
import dupdetect
from dupdetect.spark import counter, dedup, on_driver
on_driver.FEW = counter.FEW = counter.FETCHED = -1  # all of it is for executors
from conftest import ORDER, plain
from test_dedup import corpus
table = corpus()
print("begun", flush=True)
found = dedup(session.createDataFrame(table).coalesce(1), work={work!r}, resume=True, hot_key_documents=8)
here = dupdetect.dedup(table, hot_key_documents=8)
for name, order in {{**ORDER, "kept": ["id"]}}.items():
    assert plain(getattr(found, name).toArrow(), order).equals(plain(getattr(here, name), order)), name
if {connect}:
    found.write({work!r} + "-out")
print("equal", found.manifest["spark"]["resumed_stages"], flush=True)
"""


@pytest.fixture
def started(tmp_path):
    """Return what starts a run in a process of its own."""
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("java is not installed, which Spark runs on")
    processes = []

    def start(connect=False):
        paths = [str(HERE), str(HERE.parents[1])]
        script = SCRIPT.format(paths=paths, connect=connect, work=str(tmp_path / "work"))
        environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
        environment.pop("SPARK_REMOTE", None)
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
            child.kill()
        process.kill()
        process.stdout.close()
        process.wait()


def ended(process):
    return process.communicate(timeout=900)[0].strip().splitlines()[-1]


def test_through_spark_connect(started):
    assert ended(started(connect=True)) == "equal 0"


def kill_workers(process, count):
    """Kill some of the processes of Python that work for executors, one at a time; return how many."""
    killed = 0
    while process.poll() is None and killed < count:
        time.sleep(0.2)
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):  # they come and go
                if "pyspark.worker" in child.cmdline() and child.parent().name() != "java":  # forked by the daemon
                    child.kill()
                    killed += 1
                    break
    return killed


def test_the_driver_may_be_killed_and_then_workers(started, tmp_path):
    process = started()
    deadline = time.monotonic() + 600
    while not (tmp_path / "work" / "texts.done" / "_SUCCESS").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()
    again = started()
    assert again.stdout.readline() == "begun\n"
    assert kill_workers(again, 3) > 0
    said, stages = ended(again).split()
    assert said == "equal"
    assert int(stages) >= 2
