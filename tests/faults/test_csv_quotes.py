"""Quotes of CSV that never end: a reject with its row, and no other row disappears."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dupdetect
from dupdetect.errors import InputError
from dupdetect.io import quotes
from dupdetect.io.documents import collect
from dupdetect.io.quotes import ClosedQuotes

UNCLOSED = "the row has a quote that never ends"


def read(path, **options):
    documents = collect(path, **options)
    return [int(id) if id.isdigit() else id for id in documents.ids.to_pylist()], {
        row["row"]: row["reason"] for row in documents.rejects.to_pylist()
    }


@pytest.mark.parametrize("rows", [1, 1000])
@pytest.mark.parametrize("header", ['id,"text\n', '"id,text\n', '\ufeff"id,text\n', '"id,text'])
def test_a_header_whose_quote_never_ends_is_an_error(tmp_path, header, rows):
    path = tmp_path / "a.csv"
    path.write_text(header + "1,a text\n" * rows * header.endswith("\n"), encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv: the header has a quote that never ends"):
        dupdetect.dedup(path)


@pytest.mark.parametrize("bad", ['2,"never ends', '2,"never ""ends""', '"2,never ends', '2,x,"', '2,"a\nb","never'])
@pytest.mark.parametrize(
    "rest", ["3,plain\n4,plain\n", '3,"quoted"\n4,"quoted, too"\n', '"3","of\ntwo lines"\n"4","x"\n', "3,a\n4,b"]
)
@pytest.mark.parametrize("size", [7, 4 << 20])
def test_only_the_record_whose_quote_never_ends_is_rejected(tmp_path, monkeypatch, bad, rest, size):
    monkeypatch.setattr(quotes, "BLOCK_BYTES", size)
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,a\n" + bad + "\n" + rest)
    assert read(path) == ([1, 3, 4], {3: UNCLOSED})


def test_rows_after_it_have_their_own_numbers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,a\n2,"never\n3\n4,"x\ny"\n5\n')
    assert read(path) == (
        [1, 4],
        {3: UNCLOSED, 4: "the row has 1 columns, expected 2", 7: "the row has 1 columns, expected 2"},
    )


def test_the_last_row_of_a_file_of_several_blocks(tmp_path):
    path = tmp_path / "a.csv"
    rows = 60_000
    path.write_text("id,text\n" + "".join(f'{i},"{"word " * 60}"\n' for i in range(rows)) + 'x,"never\nlast,one\n')
    assert path.stat().st_size > 16 << 20
    ids, rejects = read(path)
    assert rejects == {rows + 2: UNCLOSED}
    assert len(ids) == rows + 1
    assert ids[-1] == "last"


def test_an_unclosed_quote_at_the_beginning_of_a_large_file_takes_no_row_with_it(tmp_path):
    path = tmp_path / "a.csv"
    rows = 60_000
    path.write_text('id,text\nx,"never\n' + "".join(f"{i},{'word ' * 60}\n" for i in range(rows)))
    ids, rejects = read(path)
    assert rejects == {2: UNCLOSED}
    assert len(ids) == rows


@pytest.mark.skipif("DUPDETECT_SHARED" not in os.environ, reason="needs the shared cases")
def test_the_shared_case():
    path = Path(os.environ["DUPDETECT_SHARED"]) / "cases" / "unclosed.csv"
    ids, rejects = read(path)
    lines = path.read_text().splitlines()
    [row] = rejects
    assert rejects[row] == UNCLOSED
    assert '"An opening quote' in lines[row - 1]
    assert len(ids) + 2 == len(lines)


# ---- the definition, character by character ----


def expected(text):
    """Return the records of a text, and the lines at which those are whose quote never ends."""
    records, rejects, at, line = [], [], 0, 1
    while at < len(text):
        end, wrong = one_record(text, at)
        if wrong is not None:
            end = text.find("\n", wrong) + 1 or len(text)
            rejects.append(line)
        else:
            records.append(text[at:end])
        line += text.count("\n", at, end)
        at = end
    return records, rejects


def one_record(text, at):
    """Return where a record ends, or where the quote opens that never ends."""
    while True:
        if text[at : at + 1] == '"':
            opened, at = at, at + 1
            while text[at : at + 1] != '"' or text[at : at + 2] == '""':
                if at >= len(text):
                    return None, opened
                at += 2 if text[at : at + 2] == '""' else 1
            at += 1
            if "\n" in text[opened:at] and text[at : at + 1] not in ("", ",", "\n"):
                return None, opened
        while at < len(text) and text[at] not in ",\n":
            at += 1
        if at >= len(text) or text[at] == "\n":
            return at + 1, None
        at += 1


@given(text=st.text(alphabet='a,"\n', max_size=40), size=st.integers(1, 9))
@example(text='","\n""\n"', size=1)
@example(text='a,"\n",\n",a\n', size=2)
def test_it_is_what_the_definition_says_in_blocks_of_any_size(text, size):
    header = "x,y\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quotes, "BLOCK_BYTES", size)
        stream = ClosedQuotes(io.BytesIO((header + text).encode()), "it", ",")
        got = b"".join(iter(lambda: stream.read(3), b"")).decode()
    records, rejects = expected(text)
    assert [line for line, _ in stream.rejects] == [line + 1 for line in rejects]
    if rejects:
        left = [record for record in records if record.strip("\n") != ","]
        assert "".join(record.rstrip("\n") for record in left) == "".join(
            record.rstrip("\n") for record in expected(got.removeprefix(header))[0] if record.strip("\n") != ","
        )
        assert got.count("\n") >= (header + text).count("\n")
    else:
        assert got == header + text


@pytest.mark.parametrize("text", ["x" * 100, '"' + "x" * 100, '"' + "x\n" * 50, "x," * 50 + "x"])
def test_a_record_that_is_too_long_is_a_reject_and_the_next_is_read(monkeypatch, text):
    monkeypatch.setattr(quotes, "BLOCK_BYTES", 16)
    stream = ClosedQuotes(io.BytesIO(f"id,text\n1,{text}\n2,good\n".encode()), "it", ",", limit=40)
    got = stream.read()
    assert stream.rejects[0][0] == 2
    assert len(stream.rejects) == 1
    assert got.endswith(b"\n2,good\n")


@pytest.mark.parametrize("rows", [3, 300_000])
@pytest.mark.parametrize("header", ["id,text", "id,text,ü"])
def test_a_record_of_another_width_that_is_no_utf8_is_a_reject(tmp_path, capfd, header, rows):
    path = tmp_path / "a.csv"
    end = ",é" * header.count("ü")
    good = [f"{at},{'one text 漢字 ' * 7}{end}" for at in range(rows)]
    lines = [header, *good, "x,y\udcff,z,z", "y,caf\udce9" + end, "1,2,3,4,\udced\udca0\udc80", f"z,ok ü{end}"]
    path.write_bytes("\n".join(lines).encode(errors="surrogateescape"))
    found = collect(path)
    assert len(found) == rows + 1
    assert found.ids[rows].as_py() == "z"
    assert found.texts[rows].as_py() == "ok ü"
    rejects = {row["row"]: row["reason"] for row in found.rejects.to_pylist()}
    columns = header.count(",") + 1
    assert rejects.pop(rows + 2) == f"the row has 4 columns, expected {columns}"
    assert rejects.pop(rows + 4) == f"the row has 5 columns, expected {columns}"
    [(line, reason)] = rejects.items()
    assert line == rows + 3
    assert "UTF-8" in reason
    if "ü" in header:
        assert found.table["ü"][0].as_py() == "é"
    assert capfd.readouterr().err == ""
