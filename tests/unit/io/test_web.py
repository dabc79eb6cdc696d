"""Pages of the web are read as a reader sees them, from files and from archives."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fastwarc.warc import WarcRecord, WarcRecordType

import dupdetect
from dupdetect import InputError
from dupdetect.cli.main import main
from dupdetect.io import web

STORY = "Der Leuchtturmwärter schreibt jedes Schiff auf, das vorüberfährt, und jedes, das der Lampe nicht antwortet."
PAGE = """<html><head><title>Lampe</title><style>p {{ color: red }}</style><script>track("{0}")</script></head>
<body><nav><ul><li><a href="/">Start</a></li><li>Archiv</li></ul></nav><article><h1>Nacht</h1><p>{1}</p></article>
<footer>Impressum</footer></body></html>"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_visible_text_of_files(capsys: pytest.CaptureFixture[str]) -> None:
    Path("site").mkdir()
    Path("site/a.html").write_text(PAGE.format(1, STORY), encoding="utf-8")
    Path("site/b.htm").write_bytes(
        PAGE.format(2, STORY).replace("<title>", '<meta charset="windows-1252"><title>').encode("cp1252")
    )
    Path("site/c.txt").write_text("Маяк молчит.", encoding="utf-8")
    result = dupdetect.dedup(Path("site"))
    texts = dict(
        zip(result.documents.column("id").to_pylist(), result.documents.column("text").to_pylist(), strict=True)
    )
    assert STORY in texts["a.html"]
    assert texts["a.html"] == texts["b.htm"]
    assert "Archiv" in texts["a.html"]
    assert not any(word in texts["a.html"] for word in ("track", "color", "<p>"))
    assert result.kept["id"].to_pylist() == ["a.html", "c.txt"]
    result.write("out")
    assert sorted(path.name for path in Path("out/kept").iterdir()) == ["a.html", "c.txt"]
    assert Path("out/kept/a.html").read_bytes() == Path("site/a.html").read_bytes()


def test_main_text_and_tags_and_all_on_request() -> None:
    Path("a.html").write_text(PAGE.format(1, STORY), encoding="utf-8")
    (main_text,) = dupdetect.dedup(Path("a.html"), input_format="html-main").kept["text"].to_pylist()
    assert STORY in main_text
    assert "Impressum" not in main_text
    (whole,) = dupdetect.dedup(Path("a.html"), input_format="text").kept["text"].to_pylist()
    assert whole == PAGE.format(1, STORY)


def archived(url: str, kind: str, content: bytes, status: str = "200 OK") -> bytes:
    record = WarcRecord()
    record.init_headers(record_type=WarcRecordType.response)
    record.headers["WARC-Target-URI"] = url
    record.set_bytes_content(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode() + content)
    record.is_http = True
    written = io.BytesIO()
    record.write(written)
    return written.getvalue()


@pytest.mark.parametrize("packed", [True, False])
def test_pages_of_archives(packed: bool) -> None:
    records = [
        archived("https://a.example/1", "text/html; charset=utf-8", PAGE.format(1, STORY).encode()),
        archived("https://a.example/logo", "image/png", b"\x89PNG"),
        archived("https://b.example/1", "text/html", PAGE.format(2, STORY.upper()).encode()),
        archived("https://b.example/2", "text/html", b"gone", "404 Not Found"),
        archived("https://c.example/", "application/xhtml+xml", "<p>Маяк молчит.</p>".encode()),
    ]
    name = "crawl.warc.gz" if packed else "crawl.warc"
    Path(name).write_bytes(b"".join(gzip.compress(record) if packed else record for record in records))
    assert main(["dedup", name, "-o", "out", "-q"]) == 0
    clusters = pq.read_table("out/clusters.parquet")
    assert clusters["row"].to_pylist() == [1, 3, 5]
    kept = pq.read_table("out/kept.parquet")
    assert kept.column_names == ["id", "url", "date", "text"]
    assert kept["url"].to_pylist() in ([f"https://{site}.example/1", "https://c.example/"] for site in "ab")
    assert main(["explain", "out", clusters["id"][1].as_py()]) == 0


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.html").write_text("<p>x</p>")
    monkeypatch.setattr(web, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"a.html: reading pages needs .* install 'dupdetect\[web\]'; or"):
        dupdetect.dedup(Path("a.html"))
    assert dupdetect.dedup(Path("a.html"), input_format="text").kept.num_rows == 1
