"""What `scale.py` makes of measurements, and of a corpus on disk: no run of the command is needed."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("psutil")  # before `scale`, which measures memory
scale = pytest.importorskip("scale")
pyarrow_rewrite = pytest.importorskip("pyarrow_rewrite")


def row(corpus, documents, seconds, program="dupdetect", memory="none", **more):
    rate = documents / seconds
    facts = {"corpus": corpus, "documents": documents, "program": program, "memory": memory, "problem": None}
    facts |= {"runs": [{}, {}], "seconds": seconds, "cores_busy": 1.5, "documents_per_second": rate}
    facts |= {"megabytes_per_second": rate / 200, "peak_bytes": 1.5e9, "spilled_bytes": 0, "written_bytes": 3e9}
    if program == "dupdetect":
        facts |= {
            "stages": {"read": seconds / 2, "sign": seconds / 2},
            "tables": {"kept.parquet": ["a"], "clusters.parquet": ["b"]},
            "found": 0.9,
        }
    return facts | more


def rows():
    return [
        row("articles", 100, 2.0),
        row("articles", 1000, 22.0),
        row("articles", 1000, 24.0, memory="2GB", peak_bytes=2.1e9, spilled_bytes=5e8),
        row("articles", 1000, 6.0, program=scale.KEPT),
        row("articles", 1000, 5.0, program=scale.ALL),
        row("strangers", 500, 10.0),
        row("family", 500, 13.0),
        {"corpus": "short", "documents": 5, "program": "dupdetect", "memory": "2GB", "problem": "no", "runs": []},
    ]


def test_bars():
    table = rows()
    scale.compare(table)
    asked = {bar["what"]: (round(bar["value"], 3), bar["met"]) for bar in scale.bars(table)}
    assert asked == {
        "1,000 articles, time over pyarrow, all rows": (4.4, False),
        "1,000 articles, time over pyarrow, rows kept": (3.667, True),
        "1,000 articles, --memory 2GB, time over pyarrow, all rows": (4.8, False),
        "1,000 articles, --memory 2GB, time over pyarrow, rows kept": (4.0, True),
        "1,000 articles, --memory 2GB, peak memory in GB": (2.1, False),
        "1,000 articles, time per document over 100": (1.1, True),
        "500 family, time over 500 strangers": (1.3, False),
        "100 articles, files that differ between 2 runs": (0, True),
        "1,000 articles, files that differ between 4 runs": (0, True),
        "500 strangers, files that differ between 2 runs": (0, True),
        "500 family, files that differ between 2 runs": (0, True),
    }


def test_files_that_differ_with_less_memory_are_named():
    other = {"kept.parquet": ["c"], "clusters.parquet": ["b"]}
    table = [row("articles", 9, 1.0), row("articles", 9, 1.0, memory="1MB", tables=other)]
    asked = {bar["what"]: bar["met"] for bar in scale.bars(table) if "differ" in bar["what"]}
    assert asked == {"9 articles, files that differ between 4 runs, kept.parquet": False}


def test_what_was_measured_is_shown_again(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text(json.dumps({"rows": rows()}), encoding="utf-8")
    two.write_text(json.dumps({"rows": [row("articles", 100, 4.0)]}), encoding="utf-8")
    scale.main(["--again", str(one), str(two), "--bars", "--out", str(tmp_path / "out")])
    printed, errors = capsys.readouterr()
    assert "| 100 articles | dupdetect | 4.00 | 25 |" in printed
    assert "| 1,000 articles | dupdetect --memory 2GB | 24.00 | 42 | 0 | 4.80 | 4.00 |" in printed
    assert "| read | 2.00 | 11.00 | 12.00 | 5.00 | 6.50 |" in printed
    assert "not measured: 5 short, --memory 2GB, dupdetect: no" in errors
    assert (tmp_path / "out" / "scale.png").stat().st_size > 1000


def test_stages_add_up():
    timings = {"sign": 5.0, "candidates": 1.0, "read": 2.0}
    assert scale.stages(timings, 10.0) == {"read": 2.0, "sign": 3.0, "candidates": 1.0, "start, write": 4.0}
    assert next(iter(scale.stages(timings | {"write": 3.0}, 10.0))) == "read"
    assert scale.stages(timings | {"write": 3.0}, 10.0)["start, end"] == 1.0


@pytest.mark.parametrize(("budget", "size"), [("2GB", 2_000_000_000), ("512 MiB", 2**29), ("1.5gb", 1_500_000_000)])
def test_sizes(budget, size):
    assert scale.size(budget) == size


def test_pyarrow_writes_the_rows_it_is_told(tmp_path):
    texts = ["harbour", "гавань", "港口", "ท่าเรือ", "ميناء", "बंदरगाह", "🚢", ""] * 1000
    table = pa.table({"id": np.arange(len(texts)), "text": texts})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=900)
    kept = np.arange(len(texts)) % 3 == 0
    np.save(tmp_path / "rows.npy", kept)
    assert pyarrow_rewrite.rewrite(tmp_path / "in.parquet", tmp_path / "all.parquet", None, "zstd") == len(texts)
    assert pq.read_table(tmp_path / "all.parquet").equals(table)
    rows = pyarrow_rewrite.rewrite(tmp_path / "in.parquet", tmp_path / "kept.parquet", tmp_path / "rows.npy", "zstd")
    assert rows == kept.sum()
    assert pq.read_table(tmp_path / "kept.parquet").equals(table.filter(pa.array(kept)))
    assert pq.read_metadata(tmp_path / "kept.parquet").row_group(0).column(1).compression == "ZSTD"


def test_bytes_of_text(tmp_path):
    texts = [f"the tide table of the {number}th day, ปากน้ำ" * 20 for number in range(1000)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "in.parquet", use_dictionary=False)
    size = sum(len(text.encode()) for text in texts)
    assert scale.text_bytes(tmp_path / "in.parquet") == pytest.approx(size, rel=0.01)
