"""What `throughput.py` makes of measurements, and how peers are handed a corpus and read."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("psutil")
throughput = pytest.importorskip("throughput")
datatrove_dedup = pytest.importorskip("datatrove_dedup")


def row(mode, name, rate, recall=None, threads=2):
    facts = {"name": name, "mode": mode, "version": "1", "documents": 100, "threads": threads, "problem": None}
    facts |= {"seconds": 100 / rate, "documents_per_second": rate, "megabytes_per_second": rate, "peak_megabytes": 1.0}
    if recall is None:
        return facts
    return facts | {"clusters": {"recall": recall, "precision": 1.0}, "copies_found": {"jaccard >= 0.8": recall}}


def rows():
    table = [
        row("memory", "dupdetect", 9000.0, 0.8),
        row("memory", "datasketch", 100.0, 0.7),
        row("memory", "gaoya", 3000.0, 0.9),
        row("command", "dupdetect dedup", 3000.0, 0.8),
        row("command", "datatrove pipeline", 50.0, 0.8),
        row("signing", "dupdetect signing, 1 core", 500.0, threads=1),
        row("signing", "dupdetect signing", 900.0),
        row("signing", "daft signing", 100.0),
        row("reading", "wc -w", 400.0, threads=1),
    ]
    throughput.ratios(table)
    return table


def test_bars():
    met = {bar["what"]: (round(bar["value"], 2), bar["met"]) for bar in throughput.bars(rows())}
    assert met == {
        "memory: times datasketch, 100 documents": (90.0, True),
        "memory: recall, against datasketch": (0.8, True),
        "memory: copies of jaccard >= 0.8 found, against datasketch": (0.8, True),
        "memory: times gaoya, 100 documents": (3.0, False),
        "memory: recall, against gaoya": (0.8, False),
        "memory: copies of jaccard >= 0.8 found, against gaoya": (0.8, False),
        "command: times datatrove pipeline, 100 documents": (60.0, True),
        "command: recall, against datatrove pipeline": (0.8, True),
        "command: copies of jaccard >= 0.8 found, against datatrove pipeline": (0.8, True),
        "signing: times daft signing, 100 documents": (9.0, True),
        "signing, one core: times wc -w, 100 documents": (1.25, False),
    }


def test_what_was_measured_is_shown_again(tmp_path, capsys):
    for module in ("matplotlib", "rich"):
        pytest.importorskip(module)
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text(json.dumps({"rows": rows()}), encoding="utf-8")
    two.write_text(json.dumps({"rows": [row("command", "datatrove pipeline", 300.0, 0.8)]}), encoding="utf-8")
    throughput.main(["--again", str(one), str(two), "--bars", "--out", str(tmp_path)])
    assert "| command: times datatrove pipeline, 100 documents | 10.0000 | ≥ 30 | no |" in capsys.readouterr().out
    assert (tmp_path / "throughput.png").stat().st_size > 1000


def test_parts_hold_the_corpus_in_its_order(tmp_path):
    table = pa.table({"id": np.arange(7), "text": [f"pier {number} 桟橋" for number in range(7)]})
    pq.write_table(table, tmp_path / "corpus.parquet")
    made = throughput.Made(tmp_path / "corpus.parquet", tmp_path / "corpus.txt", 7, 70, {})
    folder = throughput.parts(made, 3)
    assert [pq.read_metadata(path).num_rows for path in sorted(folder.iterdir())] == [3, 3, 1]
    assert pa.concat_tables(pq.read_table(path) for path in sorted(folder.iterdir())).equals(table)
    assert throughput.parts(made, 3) == folder


def test_clusters_of_datatrove(tmp_path):
    (tmp_path / "clusters").mkdir()
    np.array([[0, 0], [2, 1]], dtype="<u4").tofile(tmp_path / "clusters" / "000000.clusters")
    np.array([[1, 0]], dtype="<u4").tofile(tmp_path / "clusters" / "000002.clusters")
    labels = datatrove_dedup.labels(tmp_path, [3, 2, 2])
    assert labels[[0, 2, 6]].tolist() == [0, 1, 0]
    assert len(set(labels.tolist())) == 6
