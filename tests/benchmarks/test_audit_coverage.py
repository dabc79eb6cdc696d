from __future__ import annotations

import csv
import gzip
from pathlib import Path

import audit_coverage
import pytest

import dupdetect


@pytest.mark.slow
def test_intervals_hold_the_true_recall_on_pages(shared: Path, tmp_path: Path) -> None:
    """Of every other article: to compare all documents with all takes a quarter of the time."""
    pages = shared / "corpora" / "pages"
    with (pages / "articles.csv").open(encoding="utf-8", newline="") as file:
        wanted = [int(row["article"][1:]) % 2 == 0 for row in csv.DictReader(file)]
    with gzip.open(pages / "docs.jsonl.gz", "rt", encoding="utf-8", newline="\n") as lines:
        chosen = [line for line, is_wanted in zip(lines, wanted, strict=True) if is_wanted]
    assert len(chosen) > 1000
    documents = tmp_path / "docs.jsonl"
    documents.write_text("".join(chosen), encoding="utf-8", newline="\n")
    result = dupdetect.dedup(documents)
    for row in audit_coverage.coverage(result, documents, samples=[500]):
        assert row.matches > 500
        assert row.covered >= 90, row


def test_one_line_for_each_recall_and_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "in.jsonl"
    texts = [f"one text of words {number // 2} {number // 2} and no others {number // 2}" for number in range(40)]
    path.write_text("".join(f'{{"text": "{text}"}}\n' for text in texts))
    audit_coverage.main([str(path), "--sample", "10", "40", "--seeds", "5"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all("of 5 intervals hold it" in line for line in lines)
    assert "5 of 5" in lines[-1]  # all documents: nothing to estimate
