import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dupdetect.cli.main import main
from dupdetect.errors import InputError, OutputError
from dupdetect.io import documents
from dupdetect.settings import Settings
from dupdetect.sketches import build as sketching
from dupdetect.sketches.build import sketch_documents
from dupdetect.sketches.files import read_sketches
from dupdetect.sketches.sketches import sketch_by_reference
from dupdetect.text.clean import clean

SMALL = Settings(shingle_size=2, num_perm=16, window=3, bands=(4, 4))
TEXTS = {
    "ferry": "The ferry to the islands sails twice a day until the end of September.",
    "フェリー": "島へのフェリーは九月末まで一日二便運航される。",
    "паром": "Паром на острова ходит два раза в день до конца сентября.",
    "عبارة": "تبحر العبّارة إلى الجزر مرتين في اليوم حتى نهاية سبتمبر",
    "เรือ": "เรือเฟอร์รี่ไปเกาะออกวันละสองเที่ยว",
    "नाव": "द्वीपों की नाव दिन में दो बार चलती है",
    "⛴️": "⛴️ 🏝️ ⛴️",
    "empty": "",
}

CLEAN = [clean(text) for text in TEXTS.values()]


@pytest.fixture
def news(tmp_path):
    path = tmp_path / "news.parquet"
    pq.write_table(pa.table({"id": list(TEXTS), "text": list(TEXTS.values())}), path)
    return path


def test_documents_are_sketched_with_their_ids(news, tmp_path):
    told = []
    sketched = sketch_documents([news], tmp_path / "s.parquet", SMALL, told=told.append)
    ids, sketches = read_sketches(tmp_path / "s.parquet", SMALL)
    assert ids.to_pylist() == list(TEXTS)
    assert sketches.band_keys.tolist() == sketch_by_reference(CLEAN, SMALL).band_keys.tolist()
    assert (sketched.documents, sketched.rejects.num_rows, told[-1]) == (8, 0, 8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["news.parquet", "s.parquet"]


def test_texts_are_cleaned_as_a_run_cleans_them(tmp_path):
    texts = ["the har\u00adbour was clo-\nsed", "the harbour was closed", "مُحَمَّـــد", "محمد"]
    sketch_documents(texts, tmp_path / "s.parquet", SMALL)
    digests = read_sketches(tmp_path / "s.parquet")[1].digests.tolist()
    assert digests[0] == digests[1] != digests[2] == digests[3]


def test_rows_that_are_no_documents_are_left_out_and_told(tmp_path):
    rows = [{"id": "a", "text": "one text"}, {"id": None, "text": "x"}, {"id": "b"}, {"id": "a", "text": "another"}]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"id": "c", "text": "last"}]), encoding="utf-8")
    sketched = sketch_documents([file], tmp_path / "s.parquet", SMALL)
    ids, sketches = read_sketches(tmp_path / "s.parquet")
    assert ids.to_pylist() == ["a", "c"]
    assert sketches.words.tolist() == [2, 1]
    assert sketched.documents == 2
    assert sketched.rejects["row"].to_pylist() == [2, 3, 4]


def test_parts_make_no_difference(tmp_path, monkeypatch):
    texts = [f"{text} {n} times" for n in range(50) for text in TEXTS.values()]
    sketch_documents(texts, tmp_path / "whole.parquet", SMALL)
    stream = documents.stream
    monkeypatch.setattr(sketching, "stream", lambda *args, **named: stream(*args, part_bytes=2000, **named))
    sketch_documents(texts, tmp_path / "parts.parquet", SMALL, workers=2)
    assert (tmp_path / "whole.parquet").read_bytes() == (tmp_path / "parts.parquet").read_bytes()


def test_signatures_may_be_left_out(news, tmp_path):
    sketch_documents([news], tmp_path / "s.parquet", SMALL, signatures=False)
    assert read_sketches(tmp_path / "s.parquet")[1].signatures is None


def test_nothing_to_sketch(tmp_path):
    assert sketch_documents([], tmp_path / "s.parquet", SMALL).documents == 0
    assert len(read_sketches(tmp_path / "s.parquet", SMALL)[1]) == 0


def test_what_goes_wrong_leaves_nothing_behind(news, tmp_path):
    with pytest.raises(InputError, match="there is no column 'body'"):
        sketch_documents([news], tmp_path / "s.parquet", SMALL, text="body")
    with pytest.raises(InputError, match="null"):
        sketch_documents(["a", None], tmp_path / "s.parquet", SMALL, strict=True)
    with pytest.raises(OutputError, match="No such file or directory"):
        sketch_documents([news], tmp_path / "none" / "s.parquet", SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["news.parquet"]


# ---- the command ----


def test_the_command(news, tmp_path, capsys):
    output = tmp_path / "s.parquet"
    options = ["--num-perm", "16", "--shingle-size", "2", "--window", "3", "--bands", "4x4"]
    assert main(["sketch", str(news), "-o", str(output), *options]) == 0
    assert "8 documents sketched into" in capsys.readouterr().out
    assert np.array_equal(read_sketches(output, SMALL)[1].signatures, sketch_by_reference(CLEAN, SMALL).signatures)


def test_the_command_tells_what_it_left_out(tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "one"}\n' + '{"text": null}\n' * 5, encoding="utf-8")
    assert main(["sketch", str(file), "-o", str(tmp_path / "s.parquet")]) == 0
    out = capsys.readouterr().out
    assert "1 documents sketched" in out
    assert "5 rows could not be used:" in out
    assert out.count("is null, expected a string") == 3
    assert main(["sketch", str(file), "-o", str(tmp_path / "t.parquet"), "--strict"]) == 1


def test_the_command_replaces_no_file_unless_told(news, tmp_path, capsys):
    output = tmp_path / "s.parquet"
    output.write_text("mine")
    assert main(["sketch", str(news), "-o", str(output)]) == 1
    assert "the file exists; choose another name, or give --overwrite" in capsys.readouterr().err
    assert output.read_text() == "mine"
    before = news.read_bytes()
    assert main(["sketch", str(news), "-o", str(news), "--overwrite"]) == 1
    assert news.read_bytes() == before
    assert main(["sketch", str(news), "-o", str(output), "--overwrite", "--quiet", "--no-signatures"]) == 0
    assert not capsys.readouterr().out
    assert read_sketches(output)[1].signatures is None
