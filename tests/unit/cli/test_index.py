import gzip
import io
import json
import subprocess
import sys
import uuid
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from generated_sites import Writer

from dupdetect import Index
from dupdetect.cli.main import main
from dupdetect.index import batches

STORY, OTHER = Writer("en", "story").story(2), Writer("en", "other").story(2)


@pytest.fixture
def rows(tmp_path):
    """Give a file of four rows: a story, its copy, another story, and one without a text."""
    path = tmp_path / "night.jsonl"
    lines = [
        {"url": 1, "body": STORY, "by": "ap"},
        {"url": 2, "body": STORY.upper(), "by": None},
        {"url": 3, "body": OTHER},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"url": 4, "body": None}]))
    return path


@pytest.fixture
def where(tmp_path):
    return str(tmp_path / "news.dupindex")


def run(*arguments):
    return main(["index", *map(str, arguments)])


def test_what_is_new_comes_out_as_it_came_in(where, rows, capsys):
    assert run("add", where, rows, "--text", "body", "--id", "url", "--new-only", "-") == 0
    told = capsys.readouterr()
    new = [json.loads(line) for line in told.out.splitlines()]
    assert {row["url"] for row in new} in ({1, 3}, {2, 3})
    assert {"url": 3, "body": OTHER} in new
    assert "3 documents, 2 new, 1 rejected" in told.err
    assert run("add", where, rows, "--text", "body", "--id", "url", "--new-only", "-", "-q") == 0
    assert capsys.readouterr().out == ""


def test_rejects_and_metadata_are_kept(where, rows, tmp_path):
    options = ("--text", "body", "--id", "url", "--metadata", "by", "--rejects", tmp_path / "bad.jsonl", "-q")
    assert run("add", where, rows, *options) == 0
    assert json.loads((tmp_path / "bad.jsonl").read_text())["row"] == 4
    with Index(where, read_only=True) as index:
        assert index.metadata(1) == {"by": "ap"}


def test_files_are_read_as_is_said(where, rows, tmp_path):
    other = rows.rename(tmp_path / "night.log")
    assert run("add", where, other, "--text", "body", "--id", "url", "--input-format", "jsonl", "-q") == 0
    with Index(where, read_only=True) as index:
        assert len(index) == 3


def test_a_text_is_asked_for(where, rows, tmp_path, capsys):
    run("add", where, rows, "--text", "body", "--id", "url", "-q")
    (tmp_path / "article.txt").write_text(f"{STORY} One more line.")
    assert run("query", where, tmp_path / "article.txt", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert not told["is_new"]
    assert {match["id"] for match in told["matches"]} == {1, 2}
    assert run("query", where, tmp_path / "article.txt") == 0
    assert "near_duplicate" in capsys.readouterr().out
    (tmp_path / "article.txt").write_text("Nothing like it was ever told.")
    assert run("query", where, tmp_path / "article.txt") == 0
    assert capsys.readouterr().out == "new: nothing like it is there\n"
    (tmp_path / "article.txt").write_bytes(b"\xff\xfe\x00")
    assert run("query", where, tmp_path / "article.txt") == 1
    assert "byte 0 is not UTF-8" in capsys.readouterr().err
    assert run("query", where, tmp_path / "atricle.txt") == 1
    assert "there is no such file" in capsys.readouterr().err


def test_standard_input_is_a_text_or_ids(where, rows, capsys, monkeypatch):
    run("add", where, rows, "--text", "body", "--id", "url", "-q")
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(STORY.encode())))
    assert run("query", where, "-") == 0
    assert "identical" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"1\r\n7\n")))
    assert run("remove", where, "-") == 0
    assert capsys.readouterr().out == "1 of 2 documents removed\n"
    monkeypatch.setattr("sys.stdin", None)  # as Python has it where it is closed
    for command in ("query", "remove"):
        assert run(command, where, "-") == 1
        assert capsys.readouterr().err == "dupdetect: -: standard input is closed; name a file\n"


def test_documents_are_removed_and_expire(where, rows, tmp_path, capsys):
    dated = tmp_path / "dated.jsonl"
    dated.write_text(json.dumps({"id": 9, "text": OTHER, "until": "2024-05-01T12:00:00+02:00"}) + "\n")
    run("add", where, rows, "--text", "body", "--id", "url", "-q")
    run("add", where, dated, "--expires", "until", "-q")
    assert run("remove", where, "1", "7") == 0
    assert capsys.readouterr().out == "1 of 2 documents removed\n"
    assert run("expire", where, "--before", "2024-05-01T09:00:00") == 0
    assert run("expire", where, "--before", "2024-05-01T11:00:00") == 0
    assert capsys.readouterr().out == "0 documents removed\n1 documents removed\n"
    assert run("expire", where, "--before", "soon") == 2


def test_tables_counts_and_faults_are_told(where, rows, tmp_path, capsys):
    run("add", where, rows, "--text", "body", "--id", "url", "-q")
    assert run("clusters", where, "-o", tmp_path / "clusters.csv") == 0
    assert (tmp_path / "clusters.csv").read_text().count("\n") == 4
    assert run("clusters", where, "--pairs-only", "-o", tmp_path / "matches.jsonl") == 0
    assert json.loads((tmp_path / "matches.jsonl").read_text())["relation"] == "identical"
    assert run("clusters", where, "-o", tmp_path / "clusters.txt") == 2
    capsys.readouterr()
    assert run("stats", where, "--json") == 0
    assert json.loads(capsys.readouterr().out)["documents"] == 3
    assert run("stats", where) == 0
    assert run("verify", where) == 0
    assert capsys.readouterr().out.endswith(": sound\n")
    assert run("vacuum", where) == 0
    assert run("learn", where) == 0
    assert run("verify", where, "-q") == 0
    with Index(where) as index, index._store.write() as session:
        session.run("UPDATE state SET documents = 7")
    capsys.readouterr()
    assert run("verify", where) == 1
    assert "3 documents, and 7 were counted" in capsys.readouterr().out


def test_a_run_goes_in_and_comes_out(where, rows, tmp_path):
    assert (
        main(["dedup", str(rows), "--text", "body", "--id", "url", "-o", str(tmp_path / "out"), "--sketches", "-q"])
        == 0
    )
    assert run("load", where, tmp_path / "out", "-q") == 0
    assert run("export", where, "-o", tmp_path / "again") == 0
    with Index(where, read_only=True) as index:
        assert len(index) == 3
        assert len(set(index.clusters()["cluster"].to_pylist())) == 2
    assert main(["dedup", str(rows), "--text", "body", "--id", "url", "-o", str(tmp_path / "night"), "-q",
                 "--against", str(tmp_path / "again")]) == 0  # fmt: skip
    assert main(["explain", where, "3"]) == 0


def test_a_run_whose_input_was_moved_is_loaded_whole_where_that_is_named(where, rows, tmp_path):
    out = tmp_path / "out"
    assert main(["dedup", str(rows), "--text", "body", "--id", "url", "-o", str(out), "--sketches", "-q"]) == 0
    moved = rows.rename(tmp_path / "moved.jsonl")
    assert run("load", where, out, "--input", moved, "-q") == 0
    with Index(where, read_only=True) as index:
        assert len(index) == 3


@pytest.mark.parametrize("address", ["postgresql://a:s3cret@h/news", "postgresql://h/news?password=s3cret"])
def test_no_line_shows_a_password(where, rows, capsys, monkeypatch, address):
    monkeypatch.setattr("dupdetect.cli.index._opened", lambda _, **_options: Index(where))
    monkeypatch.setattr("dupdetect.index.index.Index.load", lambda *_, **_options: 3)
    monkeypatch.setattr("dupdetect.results.damage.read_manifest", lambda _: {})
    assert run("add", address, rows, "--text", "body", "--id", "url", "--log-json") == 0
    assert run("verify", address) == 0
    assert run("load", address, "out") == 0
    told = "".join(capsys.readouterr())
    assert told.count("h/news") == 4
    assert "s3cret" not in told


def test_a_log_has_a_line_for_each_stage(where, rows, capsys):
    assert run("add", where, rows, "--text", "body", "--id", "url", "--log-json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines if line["event"] in ("start", "end")] == ["start", "end"]
    assert any(line.get("stage") == "add" for line in lines)
    assert lines[-1]["counts"] == {"documents": 3, "new": 2, "rejected": 1}


def test_other_settings_are_refused_and_its_own_need_not_be_given(where, rows, capsys):
    assert run("add", where, rows, "--text", "body", "--id", "url", "--threshold", "0.7", "-q") == 0
    assert run("add", where, rows, "--text", "body", "--id", "url", "-q") == 0
    assert run("add", where, rows, "--text", "body", "--id", "url", "--threshold", "0.9", "-q") == 1
    assert "the index was made with threshold 0.7, where 0.9 is wanted" in capsys.readouterr().err
    assert run("query", f"{where}.none", rows) == 1
    assert "there is no such index" in capsys.readouterr().err


def test_a_removed_document_is_explained_with_both_texts(where, rows, tmp_path, capsys):
    assert run("add", where, rows, "--text", "body", "--id", "url", "-q") == 0
    with Index(where, read_only=True) as index:
        removed = ({1, 2} - {index.cluster_of(1)}).pop()
    capsys.readouterr()
    assert main(["explain", where, str(removed)]) == 0
    told = capsys.readouterr()
    assert "was removed" in told.out
    assert STORY.split()[0].upper() in told.out.split("of both")[1].upper()
    assert told.err == ""
    for command in (["verify", where], ["compare", "--in", where, "1", "2"], ["dedup", str(rows), "--against", where]):
        assert main([*command, *(["-o", str(tmp_path / "x"), "--text", "body"] if command[0] == "dedup" else [])]) == 1
        assert f"{where}: is a file; expected the output" in capsys.readouterr().err


AS_IT_CAME = (
    f'{{"url": 1,  "body": {json.dumps(STORY)}, "price": 1.10, "more": {{"b": [1.0, 2e1], "a": "\\u00e9"}}}}\r\n'
    "\n"
    f'{{"url": 2, "body": {json.dumps(STORY.upper())}, "price": 2.50}}\n'
    '{"url": 3, "body": null}\n'
    f'{{ "body": {json.dumps(OTHER)}, "url": 4, "price": 3.00}}'
).encode()


def test_new_records_are_the_bytes_that_came(where, tmp_path, capfdbinary):
    path, new = tmp_path / "night.jsonl", tmp_path / "new.jsonl"
    path.write_bytes(AS_IT_CAME)
    with Index(where) as index:
        index.add(9, STORY.upper())
    options = ("--text", "body", "--id", "url", "-q", "--new-only")
    assert run("add", where, path, *options, new) == 0
    first, *_, last = AS_IT_CAME.split(b"\n")
    assert new.read_bytes() == last + b"\n"
    assert run("remove", where, 1, 2, 4, 9) == 0
    capfdbinary.readouterr()
    assert run("add", where, path, *options, "-") == 0
    told = capfdbinary.readouterr().out
    assert told in (first + b"\n" + last + b"\n", AS_IT_CAME.split(b"\n")[2] + b"\n" + last + b"\n")


def test_new_records_of_many_batches_and_files_come_as_they_are_added(where, tmp_path, monkeypatch):
    """Batches end within blocks of lines, and a file ends without a line."""
    monkeypatch.setattr(batches, "DOCUMENTS", 3)
    lines = [
        f'{{"id": {n:>4}, "text": "The words of {n} are {n * n} and {n * 7} and no others."}}\n' for n in range(40)
    ]
    again = lines[5].replace('"id":    5', '"id": 1005')
    paths = [tmp_path / f"{name}.jsonl" for name in "abc"]
    for path, some in zip(paths, (lines[:17], [*lines[17:20], again], [again, *lines[20:]]), strict=True):
        path.write_text("".join(some).rstrip("\n"))
    assert run("add", where, *paths, "-q", "--new-only", tmp_path / "new.jsonl.gz", "--id", "id") == 0
    assert gzip.decompress((tmp_path / "new.jsonl.gz").read_bytes()).decode() == "".join(lines)


def test_new_records_of_csv_and_of_pipes(where, tmp_path):
    path = tmp_path / "night.csv"
    rows = [f'007,"{STORY}",1.10\r\n', f"8,{OTHER!r},2.50\n"]
    path.write_text("id,text,price\n" + "".join(rows), newline="")
    assert run("add", where, path, "-q", "--new-only", tmp_path / "new.csv") == 0
    assert (tmp_path / "new.csv").read_bytes() == path.read_bytes()
    assert run("add", where, path, "-q", "--new-only", tmp_path / "new.csv") == 0
    assert (tmp_path / "new.csv").read_text() == "id,text,price\n"
    piped = [sys.executable, "-m", "dupdetect", "index", "add", str(tmp_path / "b.dupindex"), "-", "--text", "body"]
    done = subprocess.run([*piped, "--id", "url", "--new-only", "-", "-q"], input=AS_IT_CAME, stdout=-1, check=True)
    assert done.stdout.count(b"\n") == 2
    assert done.stdout.endswith(b'"price": 3.00}\n')


def test_what_new_records_cannot_go_to_is_refused_before_anything_is_added(where, rows, tmp_path, capsys):
    assert run("add", where, rows, "--text", "body", "--id", "url", "--new-only", tmp_path / "new.csv") == 1
    assert "name a file that ends with .jsonl" in capsys.readouterr().err
    assert run("add", where, rows, "--text", "body", "--id", "url", "--new-only", rows) == 1
    assert "is an input, and would be replaced" in capsys.readouterr().err
    assert rows.stat().st_size > 0
    with Index(where, read_only=True) as index:
        assert len(index) == 0


def test_ids_are_printed_and_read_as_text(where, tmp_path, capsys):
    names = [uuid.UUID(int=number) for number in (7, 8)]
    (tmp_path / "story.txt").write_text(STORY)
    with Index(where) as index:
        for name, text in zip(names, (STORY, OTHER), strict=True):
            index.add(name, text)
    assert run("query", where, tmp_path / "story.txt", "--json") == 0
    assert json.loads(capsys.readouterr().out)["cluster"] == str(names[0])
    assert run("query", where, tmp_path / "story.txt") == 0
    assert str(names[0]) in capsys.readouterr().out
    assert run("remove", where, str(names[0])) == 0
    assert run("remove", where, "seven") == 1
    assert "'seven' is none" in capsys.readouterr().err
    with Index(where, read_only=True) as index:
        assert names[0] not in index
        assert names[1] in index


def test_marks_that_files_begin_with_do_not_come_between_records(where, tmp_path):
    """Files of Windows begin with a byte order mark: in the middle of lines it made the record behind it unreadable."""
    texts = {1: STORY, 2: OTHER, 3: "港口的桥星期一关闭了。", 4: "Мост через гавань закрыт до весны."}
    lines = [json.dumps({"id": id, "text": text}, ensure_ascii=False) + "\r\n" for id, text in texts.items()]
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for path, some in zip(paths, (lines[:2], lines[2:]), strict=True):
        path.write_bytes(b"\xef\xbb\xbf" + "".join(some).encode())
    new, kept = tmp_path / "new.jsonl", tmp_path / "kept.jsonl"
    assert run("add", where, *paths, "-q", "--new-only", new) == 0
    assert main(["dedup", *map(str, paths), "-o", str(kept), "-q"]) == 0
    assert new.read_bytes() == kept.read_bytes() == "".join(lines).encode()
    assert run("add", where, *paths, "-q", "--new-only", new) == 0
    assert new.read_bytes() == b""


@pytest.mark.parametrize("name", ["new.zip", "new.jsonl.tar.gz", "NEW.TGZ"])
def test_archives_are_not_written(where, rows, tmp_path, capsys, name):
    """They were JSON Lines of such a name, which nobody could read again."""
    assert run("add", where, rows, "--text", "body", "--id", "url", "--new-only", tmp_path / name) == 1
    assert "archives are read, and not written; name a folder, or a file that ends with" in capsys.readouterr().err
    assert main(["dedup", str(rows), "--text", "body", "-o", str(tmp_path / name)]) == 1
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["new.txt", "new", "new.jsn"])
def test_new_rows_go_where_the_name_says_what_they_are(where, rows, tmp_path, capsys, name):
    """They were JSON Lines, whatever the name said."""
    assert run("add", where, rows, "--text", "body", "--id", "url", "--new-only", tmp_path / name) == 2
    assert "does not end like a file of rows" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("kind", [pa.string_view(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_new_rows_of_tables_may_have_any_type_of_strings(where, tmp_path, kind):
    """Arrow selects no views: it ended with an error of its own."""
    table = pa.table({"id": pa.array(["море", "海"]).cast(kind), "text": [STORY, OTHER]})
    pq.write_table(table, tmp_path / "in.parquet")
    assert run("add", where, tmp_path / "in.parquet", "-q", "--new-only", tmp_path / "new.jsonl") == 0
    assert [json.loads(line)["id"] for line in (tmp_path / "new.jsonl").read_text(encoding="utf-8").splitlines()] == [
        "море",
        "海",
    ]
