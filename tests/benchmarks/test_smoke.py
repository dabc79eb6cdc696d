"""Each benchmark script runs end to end on something tiny; what is not installed is skipped by name."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SHARED = Path(os.environ.get("DUPDETECT_SHARED", BENCHMARKS.parent.parent / "shared"))


def script(name, *arguments):
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent)}
    command = [sys.executable, str(BENCHMARKS / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs(*modules):
    for module in modules:
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed; the extras 'bench' and 'peers' have what the benchmarks need")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "small.parquet"
    printed = script(
        "corpus.py", path, "--documents", 300, "--mean-bytes", 800, "--text-file", path.with_suffix(".txt")
    )
    assert "300 documents" in printed
    return path


@pytest.mark.parametrize(
    ("engine", "module"),
    [
        ("dupdetect", "dupdetect"),
        ("dupdetect, from a list", "dupdetect"),
        ("dupdetect signing", "dupdetect"),
        ("definition in Python", "dupdetect"),
        ("exact Jaccard", "scipy"),
        ("datasketch", "datasketch"),
        ("rensa", "rensa"),
        ("rensa rho, flags only", "rensa"),
        ("gaoya", "gaoya"),
        ("daft signing", "daft"),
        ("text-dedup", "text_dedup"),
        ("pyarrow reading", "pyarrow"),
    ],
)
def test_engine(small, tmp_path, engine, module):
    needs(module)
    printed = json.loads(script("engines.py", engine, small, tmp_path / "found.npz").splitlines()[-1])
    assert printed["seconds"] > 0
    assert (tmp_path / "found.npz").exists()


@pytest.mark.slow
def test_throughput(tmp_path):
    needs("psutil", "matplotlib", "rich")
    rows = ("dupdetect", "dupdetect dedup", "datasketch script", "wc -w")
    sizes = ("--documents", 300, "--repeats", 1)
    printed = script("throughput.py", *sizes, "--out", tmp_path, "--engines", *rows)
    report = json.loads((tmp_path / "throughput.json").read_text())
    measured = {row["name"]: row for row in report["rows"]}
    assert set(measured) == set(rows)
    assert [row["problem"] for row in measured.values()] == [None] * len(rows), printed
    assert measured["dupdetect"]["copies_found"]["exact"] == 1.0
    assert measured["dupdetect dedup"]["copies_found"]["exact"] == 1.0
    assert (tmp_path / "throughput.png").stat().st_size > 1000


@pytest.mark.slow
def test_datatrove(tmp_path):
    needs("psutil", "matplotlib", "rich", "datatrove", "tokenizers", "spacy")
    row = "datatrove pipeline, cut at spaces"
    script("throughput.py", "--documents", 200, "--repeats", 1, "--out", tmp_path, "--engines", row)
    (measured,) = json.loads((tmp_path / "throughput.json").read_text())["rows"]
    assert measured["problem"] is None
    assert measured["copies_found"]["exact"] == 1.0


@pytest.mark.slow
def test_scale(tmp_path):
    needs("psutil", "matplotlib")
    sizes = ("--documents", 500, "--short", "--family", "--repeat", 1, "--memory", "1GB")
    printed = script("scale.py", *sizes, "--out", tmp_path, "--bars")
    rows = json.loads((tmp_path / "scale.json").read_text())["rows"]
    assert [row["problem"] for row in rows] == [None] * 3, printed
    assert all(row["seconds"] > 0 and row["peak_bytes"] > 10**7 for row in rows)
    assert rows[0]["found"] > 0.9
    assert rows[0]["stages"].keys() >= {"read", "sign", "verify"}
    assert "| 500 articles, --memory 1GB, peak memory in GB |" in printed
    assert (tmp_path / "scale.png").stat().st_size > 1000


def test_an_absent_peer_is_named(tmp_path):
    needs("psutil", "matplotlib", "rich")
    if find_spec("gaoya") is not None:
        pytest.skip("gaoya is installed here")
    printed = script("throughput.py", "--documents", 100, "--out", tmp_path, "--engines", "gaoya", "wc -w")
    assert "not measured: gaoya (memory): gaoya is not installed" in printed


def test_quality(tmp_path):
    needs("psutil", "scipy")
    if not (SHARED / "corpora" / "answers").is_dir():
        pytest.skip(f"there is no {SHARED / 'corpora' / 'answers'}: the corpora of known truth are not here")
    printed = script("quality.py", "--sets", "answers", "--engines", "exact containment", "--out", tmp_path)
    report = json.loads((tmp_path / "quality.json").read_text())
    assert [row["engine"] for row in report["rows"]] == ["exact containment ≥ 0.8", "exact containment ≥ 0.9"]
    assert all(0 < row["by_label"]["cut"]["pairs"] <= 1 and row["peak_megabytes"] > 0 for row in report["rows"])
    assert printed.startswith("| engine | answers cut, light, heavy, non | seconds | peak MB |")


def test_quality_of_releases(tmp_path):
    needs("psutil", "scipy")
    if not (SHARED / "corpora" / "copyrights").is_dir():
        pytest.skip(f"there is no {SHARED / 'corpora' / 'copyrights'}: the corpora of known truth are not here")
    sets = ("--sets", "copyrights", "--engines", "dupdetect", "exact Jaccard")
    printed = script("quality.py", *sets, "--bars", "--details", "--out", tmp_path)
    ours, *others = json.loads((tmp_path / "quality.json").read_text())["rows"]
    assert set(ours) >= {"recall", "families", "false", "lost", "unfound", "misnamed"}
    assert all(0 < row["families"] <= row["recall"] <= 1 and row["lost"] >= 0 for row in (ours, *others))
    assert "copyrights R / families, false, lost" in printed
    assert "| copyrights, lost documents |" in printed


def test_index(small):
    lines = [json.loads(line) for line in script("index.py", small, "--documents", 200, "--held-out", 60).splitlines()]
    measured = {line["measured"]: line for line in lines}
    assert list(measured) == ["add_many", "size", "query", "add", "remove", "expire"]
    assert measured["query"]["copies"] > 0
    assert measured["query"]["recall"] > 0.8
    peer = script("index.py", small, "--documents", 200, "--held-out", 60, "--parts", "memory").splitlines()
    assert [json.loads(line)["measured"] for line in peer] == [
        "datasketch, memory: insert",
        "datasketch, memory: query",
    ]


def test_sites():
    needs("scipy")
    names = ["wrapped", "mixed, Thai", "forms", "few pages a site"]
    printed = script("sites.py", "--scenarios", *names, "--scale", 0.15, "--seed", 1, 2, "--json")
    rows = [json.loads(line) for line in printed.splitlines()]
    assert [row["scenario"] for row in rows] == names
    assert all(row["documents"] > 0 and row["seeds"] == [1, 2] for row in rows)
    columns = ("on", "off", "exact jaccard", "exact containment")
    assert all(set(row[column]) >= {"precision", "recall", "lost"} for row in rows for column in columns)


def test_documents_of_recurring_phrases():
    rows = [line.split("|") for line in script("recurring_phrases.py", "--documents", 12).splitlines()[2:]]
    removed = {row[1].strip(): int(row[3]) for row in rows}
    assert removed.keys() == {"sheets", "questionnaires", "contracts", "pairings"}
    assert removed["pairings"] == removed["questionnaires"] == removed["sheets"] == 0


def test_pages_of_two_articles():
    if not (SHARED / "corpora" / "pages").exists():
        pytest.skip(f"{SHARED} is not there: it has the pages")
    rows = [line.split("|") for line in script("two_articles.py", "--sample", 4).splitlines()[2:]]
    seen, removed = (sum(int(row[place]) for row in rows) for place in (2, 3))
    assert 8 <= seen <= 16
    assert removed < seen / 2


@pytest.mark.parametrize(
    ("arguments", "module", "said"),
    [
        (["two_articles.py"], "dupdetect", "the pages are not in "),
        (
            ["throughput.py", "--mode", "command", "--engines", "dupdetect"],
            "psutil",
            "there is no 'dupdetect' among what",
        ),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_sentence(tmp_path, arguments, module, said):
    needs(module)
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent), "DUPDETECT_SHARED": str(tmp_path)}
    command = [sys.executable, str(BENCHMARKS / arguments[0]), *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize("name", ["audit_coverage.py", "roundtrip.py"])
def test_how_a_script_is_called_stands_on_a_line_of_its_own(name):
    needs("scipy")
    assert f"\n    python benchmarks/{name} " in script(name, "--help")
