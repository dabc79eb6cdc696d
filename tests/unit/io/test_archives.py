"""Archives are as folders of their members: whatever these are, however they are packed, whatever is wrong."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect import InputError
from dupdetect.cli.main import main
from dupdetect.io import archives
from dupdetect.io.compression import compressed
from dupdetect.io.documents import collect
from dupdetect.io.paths import ReadAs, find
from dupdetect.io.streams import as_stream

TEXTS = {
    "news/港口.txt": "渔港市场下个月搬到旧火车站,三十个摊位将第一次在同一个屋檐下。",
    "news/北海道.txt": "灯台守は通りかかる船をすべて帳面に書きつけている。返事をしない船も。",
    "ตลาด.txt": "ตลาดปลาจะย้ายไปที่สถานีรถไฟเก่าในเดือนหน้า และจะอยู่ใต้หลังคาเดียวกัน",
    "ar/ميناء.txt": "أغلق جسر الميناء يوم الاثنين بعد أن وجد المفتشون شقوقا في اثنين من كابلاته.",
    "ru/мост.md": "Мост через гавань закрыли в понедельник: в двух тросах нашли трещины.",
    "hi/पुल.txt": "बंदरगाह का पुल सोमवार को बंद कर दिया गया क्योंकि दो केबलों में दरारें मिलीं।",
    "emoji/🌉.txt": "The bridge 🌉 is closed 🚧 until spring 🌷, and nobody 🙅 may cross it.",
}
ENDINGS = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".txz", ".tar.zst", ".tar.lz4", ".zip"]


def packed(path: Path, members: Mapping[str, bytes | str | tarfile.TarInfo]) -> Path:
    """Write an archive; a member of a tar may be a header alone."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, content in members.items():
                zipped.writestr(name, content)  # type: ignore[arg-type]
        return path
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            data = content.encode() if isinstance(content, str) else content
            header = tarfile.TarInfo(name)
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))
    with compressed(path, archives.TAR[str(archives.ending_of(path.name))]) as file:
        file.write(made.getvalue())
    return path


def lines(*ids: str, text: str = "Die Fähre fährt zweimal am Tag, die Fähre nach {}.") -> bytes:
    return "".join(json.dumps({"id": id, "text": text.format(id)}) + "\n" for id in ids).encode()


def table(*ids: str) -> pa.Table:
    return pa.table({"id": list(ids), "text": [f"Die Fähre fährt zweimal am Tag, die Fähre nach {id}." for id in ids]})


def saved(write: Callable[[pa.Table, Any], None], *ids: str) -> bytes:
    made = io.BytesIO()
    write(table(*ids), made)
    return made.getvalue()


def reasons(result: Any) -> list[tuple[str, str]]:
    return [(row["file"].rpartition("/")[2], row["reason"]) for row in result.rejects.to_pylist()]


@pytest.mark.parametrize("ending", ENDINGS)
def test_texts_of_an_archive_are_those_of_a_folder(tmp_path: Path, ending: str) -> None:
    archive = packed(tmp_path / f"scans{ending}", TEXTS)
    documents = collect(archive)
    assert documents.ids.to_pylist() == [f"{archive}/{name}" for name in TEXTS]
    assert documents.texts.to_pylist() == list(TEXTS.values())
    assert not documents.rejects.num_rows
    assert documents.inputs == [str(archive)]


@pytest.mark.parametrize("ending", ENDINGS)
def test_ids_of_an_archive_in_a_folder_are_those_within_it(tmp_path: Path, ending: str) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_text("Ein Text, der nicht gepackt ist.")
    packed(tmp_path / "in" / "deep" / f"b{ending}", TEXTS)
    assert collect(tmp_path / "in").ids.to_pylist() == ["a.txt", *(f"deep/b{ending}/{name}" for name in TEXTS)]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("{}.jsonl", lines),
        ("{}.csv", lambda *ids: ("id,text\n" + "".join(f'{id},"Text ""{id}"", lang."\n' for id in ids)).encode()),
        ("{}.jsonl.gz", lambda *ids: gzip.compress(lines(*ids))),
        ("{}.parquet", lambda *ids: saved(pq.write_table, *ids)),
        ("{}.arrow", lambda *ids: saved(pyarrow.feather.write_feather, *ids)),
        ("{}.orc", lambda *ids: saved(pyarrow.orc.write_table, *ids)),
    ],
    ids=["jsonl", "csv", "jsonl.gz", "parquet", "arrow", "orc"],
)
def test_tables_of_an_archive_are_read_in_its_order(
    tmp_path: Path, ending: str, name: str, content: Callable[..., bytes]
) -> None:
    members = {f"part/{name.format(part)}": content(f"{part}1", f"{part}2") for part in "ba"}
    documents = collect(packed(tmp_path / f"crawl{ending}", members))
    assert documents.ids.to_pylist() == ["b1", "b2", "a1", "a2"]


@pytest.mark.parametrize("ending", [".tar", ".tar.zst", ".zip"])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_rows_that_stay_are_as_they_came(tmp_path: Path, ending: str, kind: str) -> None:
    rows = {
        "jsonl": '{"id": "p", "n": 1.10, "text": "Der Wärter  schreibt."}\r\n{"id":"q","text":"灯"}\n'.encode(),
        "csv": 'id,n,text\r\n007,1.10,"Der ""Wärter"", sagt\nman"\r\n008,TRUE,灯\r\n'.encode(),
        "parquet": saved(pq.write_table, "p", "q"),
    }[kind]
    archive = packed(tmp_path / f"in{ending}", {f"a/1.{kind}": rows, f"a/2.{kind}": rows})
    assert main(["dedup", str(archive), "-o", str(tmp_path / "out"), "-q", "--id-prefix", "file"]) == 0
    kept = [tmp_path / "out" / "kept" / archive.name / "a" / f"{at}.{kind}" for at in (1, 2)]
    if kind == "parquet":
        assert pq.read_table(kept[0]).equals(table("p", "q"))
        assert pq.read_table(kept[1]).num_rows == 0
    else:
        assert kept[0].read_bytes() == rows
        assert kept[1].read_bytes() == (b"" if kind == "jsonl" else b"id,n,text\r\n")
    assert len(collect(tmp_path / "out" / "kept", id="none")) == 2


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".zip"])
def test_text_files_that_stay_are_copied_whole(tmp_path: Path, ending: str) -> None:
    texts = {**TEXTS, "twice.txt": TEXTS["hi/पुल.txt"]}
    archive = packed(tmp_path / f"in{ending}", {**texts, "bom.txt": b"\xef\xbb\xbfEin Text mit BOM."})
    assert main(["dedup", str(archive), "-o", str(tmp_path / "out"), "-q"]) == 0
    kept = tmp_path / "out" / "kept" / archive.name
    found = {path.relative_to(kept).as_posix(): path.read_bytes() for path in kept.rglob("*") if path.is_file()}
    assert found.pop("bom.txt") == b"\xef\xbb\xbfEin Text mit BOM."
    assert len(found) == len(TEXTS)
    assert all(content.decode() == texts[name] for name, content in found.items())


def test_what_is_no_file_is_a_reject_and_goes_nowhere(tmp_path: Path) -> None:
    def header(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
        made = tarfile.TarInfo(name)
        made.type, made.linkname = kind, link
        return made

    (tmp_path / "secret.txt").write_text("Das geht niemanden etwas an.")
    members: dict[str, Any] = {
        "folder": header("folder", tarfile.DIRTYPE),
        "a.txt": "Ein Text, der gelesen wird.",
        "link.txt": header("link.txt", tarfile.SYMTYPE, str(tmp_path / "secret.txt")),
        "hard.txt": header("hard.txt", tarfile.LNKTYPE, "a.txt"),
        "pipe.txt": header("pipe.txt", tarfile.FIFOTYPE),
        "device.txt": header("device.txt", tarfile.CHRTYPE),
        "../out.txt": "Hinaus.",
        "a/../../up.txt": "Hinauf.",
        "/etc/absolute.txt": "Absolut.",
        "C:\\temp\\drive.txt": "Laufwerk.",
        "n" * 300 + ".txt": "Langer Name.",
        ".hidden.txt": "Verborgen.",
        "_made/b.txt": "Verborgen.",
    }
    archive = packed(tmp_path / "in.tar.gz", members)
    result = dupdetect.dedup(archive)
    assert result.clusters["id"].to_pylist() == [f"{archive}/a.txt"]
    said = dict(reasons(result))
    assert {name: next(word for word in said[name].split() if word in WORDS) for name in said} == {
        "link.txt": "link,", "hard.txt": "another", "pipe.txt": "pipe,", "device.txt": "device,",
        "out.txt": "(..);", "up.txt": "(..);", "absolute.txt": "absolute,", "C:\\temp\\drive.txt": "absolute,",
        "n" * 300 + ".txt": "255",
    }  # fmt: skip
    with pytest.raises(InputError, match="expected a file"):
        dupdetect.dedup(archive, strict=True)
    assert main(["dedup", str(archive), "-o", str(tmp_path / "out"), "-q"]) == 0
    kept = [path for path in (tmp_path / "out" / "kept").rglob("*") if path.is_file()]
    assert kept == [tmp_path / "out" / "kept" / "in.tar.gz" / "a.txt"]


WORDS = ("link,", "another", "pipe,", "device,", "(..);", "absolute,", "255")


def test_members_of_a_zip_that_cannot_be_read_are_rejects(tmp_path: Path) -> None:
    archive = packed(
        tmp_path / "in.zip", {"plain.txt": "Lesbar.", "locked.txt": "Gesperrt.", "link.txt": "/etc/passwd"}
    )
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_BZIP2) as zipped:
        zipped.writestr("other.txt", "Anders gepackt.")
        zipped.mkdir("folder") if hasattr(zipped, "mkdir") else zipped.writestr("folder/", "")
        for entry in zipped.infolist():
            if entry.filename == "locked.txt":
                entry.flag_bits |= 1
            if entry.filename == "link.txt":
                entry.create_system, entry.external_attr = 3, 0o120777 << 16
    result = dupdetect.dedup(archive)
    assert result.clusters["id"].to_pylist() == [f"{archive}/plain.txt"]
    said = dict(reasons(result))
    assert "encrypted" in said["locked.txt"]
    assert "a link" in said["link.txt"]
    assert "bzip2" in said["other.txt"]
    assert len(said) == 3


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2", ".zip"])
def test_an_archive_that_is_cut_short_anywhere_is_an_error(tmp_path: Path, ending: str) -> None:
    whole = packed(tmp_path / f"in{ending}", {name: text * 40 for name, text in TEXTS.items()}).read_bytes()
    size = len(whole) if ending != ".tar" else whole.rstrip(b"\0").__len__() + 512  # what follows is but padding
    for length in sorted({0, 1, 100, 511, 512, 1024, 1536, *range(0, size, max(1, size // 40)), size - 1}):
        if length >= size:
            continue
        (tmp_path / f"cut{ending}").write_bytes(whole[:length])
        with pytest.raises(InputError) as error:
            dupdetect.dedup(tmp_path / f"cut{ending}")
        assert str(error.value).startswith(f"{tmp_path / f'cut{ending}'}")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("ending", [".tar", ".zip", ".tar.gz", ".tar.zst"])
def test_no_damage_loses_a_member_in_silence(tmp_path: Path, ending: str) -> None:
    members = {f"{name}": os.urandom(40).hex() * 20 for name in "abcdefgh"}
    whole = packed(tmp_path / f"in{ending}", {f"{name}.txt": text for name, text in members.items()}).read_bytes()
    damaged = tmp_path / f"bad{ending}"
    for at in range(0, len(whole.rstrip(b"\0")), max(1, len(whole) // 150)):
        changed = bytearray(whole)
        changed[at] ^= 0xFF
        damaged.write_bytes(changed)
        try:
            documents = collect(damaged, how=ReadAs("text"))
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - it may be that what was changed means nothing
        else:
            assert len(documents) + documents.rejects.num_rows == len(members)


def test_what_follows_the_end_of_an_archive_is_not_lost_in_silence(tmp_path: Path) -> None:
    for ending in (".tar", ".zip"):
        parts = [packed(tmp_path / f"{name}{ending}", {f"{name}.txt": f"Text {name}."}).read_bytes() for name in "ab"]
        (tmp_path / f"both{ending}").write_bytes(b"".join(parts))
        with pytest.raises(InputError, match="members"):
            collect(tmp_path / f"both{ending}")


@pytest.mark.parametrize("ending", [".tar", ".zip"])
def test_names_that_no_file_can_have_are_rejects(tmp_path: Path, ending: str) -> None:
    names = ["d/" * 1500 + "tief.txt", "d/" * 300 + "tief.txt", "港" * 80 + "/" + "橋/" * 600 + "b.txt", ".", "./."]
    members = dict.fromkeys(names, "Nicht lesbar.") | {
        "e/" * 200 + "a.txt": "Мост закрыт.",
        "a.txt": "橋は閉まっている。",
    }
    archive = packed(tmp_path / f"in{ending}", members)
    result = dupdetect.dedup(archive)
    assert [id.removeprefix(str(archive)) for id in result.clusters["id"].to_pylist()] == [
        "/" + name for name in list(members)[-2:]
    ]
    assert result.rejects.num_rows == len(names)
    result.write(tmp_path / "out")
    assert (tmp_path / "out" / "kept" / archive.name / ("e/" * 200) / "a.txt").read_text() == "Мост закрыт."
    assert len(find([f"{archive}/**/**/e/**/*.txt"])) == 1
    assert len(find([f"{archive}/" + "**/" * 40 + "*.txt"])) == 5  # without those of no name


def test_long_names_take_no_room(tmp_path: Path) -> None:
    """Of a compressed tar some bytes may be a name of a megabyte: with a folder for each second letter."""
    archive = packed(
        tmp_path / "in.tar.gz", {f"{number}/" + "d/" * 400_000: "Text." for number in range(8)} | {"a.txt": "A."}
    )
    tracemalloc.start()
    try:
        found = find([archive])
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()
    assert [file.fault is None for file in found] == [False] * 8 + [True]


def test_members_are_not_lost_behind_an_archive_that_has_none(tmp_path: Path) -> None:
    full, none = (packed(tmp_path / name, members).read_bytes() for name, members in
                  (("full.zip", {"a.txt": "Hier."}), ("none.zip", {})))  # fmt: skip
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.txt").write_text("Da.")
    (tmp_path / "in" / "both.zip").write_bytes(full + none)
    with pytest.raises(InputError, match="does not list"):
        dupdetect.dedup(tmp_path / "in")


def test_bombs_are_bounded(tmp_path: Path) -> None:
    big = {"zeros.txt": bytes(3 << 20), "small.txt": "Klein."}
    for ending in (".tar.gz", ".zip"):
        documents = collect(packed(tmp_path / f"in{ending}", big), max_text=1 << 20)
        assert documents.texts.to_pylist() == ["Klein."]
        assert "max_text" in documents.rejects["reason"][0].as_py()
    nested = bytearray(packed(tmp_path / "x.zip", {"a.txt": "Eins.", "b.txt": "Zwei."}).read_bytes())
    entries = [at for at in range(len(nested)) if nested[at : at + 4] == b"PK\x01\x02"]
    nested[entries[1] + 42 : entries[1] + 46] = nested[entries[0] + 42 : entries[0] + 46]
    (tmp_path / "x.zip").write_bytes(nested)
    with pytest.raises(InputError, match="in one another"):
        collect(tmp_path / "x.zip")
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 1 << 40
    (tmp_path / "long.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(InputError, match="a size that it cannot have"):
        collect(tmp_path / "long.tar")


def test_a_member_that_is_larger_than_the_room_for_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(tmp_path / "in.zip", {"a.parquet": saved(pq.write_table, "a")})
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(InputError, match="has room for 10; make room"):
        collect(archive)


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_archives_in_archives_are_refused_unless_others_are_named(tmp_path: Path, ending: str) -> None:
    inner = packed(tmp_path / "inner.zip", {"x.txt": "Innen."}).read_bytes()
    archive = packed(tmp_path / f"in{ending}", {"a/inner.zip": inner, "a/b/c.txt": "Außen.", "d.csv": "id,text\n"})
    with pytest.raises(InputError, match=r"a/inner.zip: is an archive in an archive"):
        collect(archive)
    for within in ("**/*.txt", "a/b", "a/*/c.txt", "a/b/c.txt", "a/**/c.txt", "*/*/*.txt"):
        documents = collect(Path(f"{archive}/{within}"))
        assert documents.ids.to_pylist() == [f"{archive}/a/b/c.txt"]
        assert documents.inputs == [f"{archive}/{within}"]
    with pytest.raises(InputError, match=r"no file in .* is meant by 'e/x.txt'"):
        collect(Path(f"{archive}/e/x.txt"))


def test_other_members_than_are_read_are_told_as_those_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not say what it is"):
        collect(packed(tmp_path / "a.zip", {"a.png": b"\x89PNG", "a.txt": "Text."}))
    with pytest.raises(InputError, match="expected one kind"):
        collect(packed(tmp_path / "b.zip", {"a.jsonl": lines("a"), "a.txt": "Text."}))
    with pytest.raises(InputError, match="holds no files"):
        collect(packed(tmp_path / "c.tar", {}))
    os.mkfifo(tmp_path / "d.tar")
    with pytest.raises(InputError, match="expected an archive that is a file"):
        collect(tmp_path / "d.tar")
    (tmp_path / "e.tar").write_bytes(b"")
    with pytest.raises(InputError, match="is an archive, which is read from a disk alone"):
        collect(f"file://{tmp_path}/e.tar")


def test_what_is_said_of_files_goes_for_members(tmp_path: Path) -> None:
    archive = packed(
        tmp_path / "in.tar.gz", {"a.csv": "id;text\n1;Grüße\n".encode("cp1252"), "b.csv": b"id;text\n2;x\n"}
    )
    how = ReadAs(encoding="cp1252", delimiter=";")
    assert collect(archive, how=how).texts.to_pylist() == ["Grüße", "x"]
    as_text = collect(archive, how=ReadAs("text", "cp1252"))
    assert as_text.texts.to_pylist() == ["id;text\n1;Grüße\n", "id;text\n2;x\n"]
    assert main(
        ["dedup", str(archive), "-o", str(tmp_path / "out"), "-q", "--encoding", "cp1252", "--delimiter", ";"]
    ) == 0  # fmt: skip
    kept = tmp_path / "out" / "kept" / "in.tar.gz" / "a.csv"
    assert kept.read_bytes() == "id;text\n1;Grüße\n".encode("cp1252")


def test_names_may_be_any_bytes(tmp_path: Path) -> None:
    header = tarfile.TarInfo("мост.txt".encode("cp1251").decode("utf-8", "surrogateescape"))
    header.size = 0
    with tarfile.open(tmp_path / "in.tar", "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as tar:
        tar.addfile(header)
    assert collect(tmp_path / "in.tar").ids.to_pylist() == [f"{tmp_path}/in.tar/\\xec\\xee\\xf1\\xf2.txt"]
    zipped = packed(tmp_path / "in.zip", {"AAAA.txt": "Мост закрыт.", "BBBBBB.txt": "橋は閉まっている。"}).read_bytes()
    zipped = zipped.replace(b"AAAA", "мост".encode("cp1251")).replace(b"BBBBBB", "橋橋".encode())
    (tmp_path / "in.zip").write_bytes(zipped)
    assert collect(tmp_path / "in.zip").ids.to_pylist() == [
        f"{tmp_path}/in.zip/\\xec\\xee\\xf1\\xf2.txt",
        f"{tmp_path}/in.zip/橋橋.txt",
    ]
    assert main(["dedup", str(tmp_path / "in.zip"), "-o", str(tmp_path / "out"), "-q"]) == 0
    assert len(list((tmp_path / "out" / "kept" / "in.zip").iterdir())) == 2


def test_of_members_of_one_name_the_last_is_read(tmp_path: Path) -> None:
    archive = packed(tmp_path / "in.tar", {"a.txt": "Neu.", "./a.txt": "Neuer.", "b/c.txt": "B.", "b": "Auch B."})
    documents = collect(archive, how=ReadAs("text"))
    assert documents.texts.to_pylist() == ["Neuer.", "B."]
    assert [reason for _, reason in reasons(documents)] == [
        "the archive has a later member of the same name, which is read instead",
        "the archive has other members for which this one would be a folder",
    ]


def test_partitions_are_columns_of_members(tmp_path: Path) -> None:
    archive = packed(tmp_path / "in.zip", {"lang=hi/a.jsonl": lines("a"), "lang=th/b.jsonl": lines("b")})
    assert collect(archive).table["lang"].to_pylist() == ["hi", "th"]


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".zip"])
def test_members_are_read_in_any_order_and_after_pickling(tmp_path: Path, ending: str) -> None:
    members = {f"{name}.txt": f"Text {name}." for name in "abcd"}
    found = find([packed(tmp_path / f"in{ending}", members)])
    streams = [as_stream(file) for file in pickle.loads(pickle.dumps(found))]
    assert [stream.read(4) for stream in reversed(streams)] == [b"Text"] * 4
    assert [stream.read(100) for stream in streams] == [f" {name}.".encode() for name in "abcd"]


def test_a_compressed_tar_is_unpacked_once_for_its_list_and_once_for_its_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(tmp_path / "in.tar.gz", {f"{n}.csv": f"id,text\n{n},Der Text {n}.\n" for n in range(50)})
    opened: list[str] = []
    really = archives.decompressed
    monkeypatch.setattr(archives, "decompressed", lambda *given: opened.append("") or really(*given))
    assert len(collect(archive)) == 50
    assert len(opened) == 2


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_reports_and_later_runs_read_an_archive_again(
    tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {**TEXTS, "again.txt": TEXTS["ru/мост.md"].upper()}
    archive, out = packed(tmp_path / f"in{ending}", texts), str(tmp_path / "out")
    assert main(["dedup", str(archive), "-o", out, "-q", "--sketches"]) == 0
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["inputs"] == [str(archive)]
    assert main(["explain", out, f"{archive}/again.txt"]) == 0
    assert "Мост через гавань" in capsys.readouterr().out.replace("МОСТ ЧЕРЕЗ ГАВАНЬ", "Мост через гавань")
    assert main(["report", out, "-o", str(tmp_path / "report.html")]) == 0
    assert "are not shown" not in (tmp_path / "report.html").read_text()
    assert main(["dedup", str(archive), "-o", str(tmp_path / "later"), "-q", "--against", out]) == 0
    assert dupdetect.dedup(archive, against=tmp_path / "out").kept.num_rows == 0
    assert main(["dedup", str(archive), "--dry-run"]) == 0
    assert f"{len(texts)} files" in capsys.readouterr().out
    assert main(["dedup", str(archive), "-o", str(tmp_path / "some.jsonl"), "--sample", "3", "-q"]) == 0
    assert len((tmp_path / "some.jsonl").read_text().splitlines()) == 3
    assert main(["dedup", str(archive), "-o", out, "-q", "--sketches", "--resume"]) == 0
    assert main(["dedup", str(archive), "-o", str(archive), "-q", "--overwrite"]) == 1


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".zip"])
def test_a_stopped_run_goes_on_in_the_middle_of_an_archive(tmp_path: Path, ending: str) -> None:
    members = {f"{n}.jsonl": lines(*(f"{n}-{m}" for m in range(30)), text="Zeile {0}. " * 30) for n in range(6)}
    archive = packed(tmp_path / f"in{ending}", members)
    parts = list(dupdetect.io.documents.stream(archive, part_bytes=8_000))
    assert len(parts) == 6
    after = json.loads(json.dumps(parts[2].note))
    rest = list(dupdetect.io.documents.stream(archive, part_bytes=8_000, after=after))
    assert [part.texts.to_pylist() for part in rest] == [part.texts.to_pylist() for part in parts[3:]]


def test_an_archive_that_changed_is_not_copied_from(tmp_path: Path) -> None:
    archive = packed(tmp_path / "in.tar", {"a.jsonl": lines("a", "b")})
    result = dupdetect.dedup(archive)
    packed(archive, {"a.jsonl": lines("c", "d"), "b.jsonl": lines("e")})
    with pytest.raises(InputError, match="has changed since it was read"):
        result.write(tmp_path / "out")


def test_spark_refuses_archives() -> None:
    pytest.importorskip("pyspark")
    from dupdetect.settings import Settings
    from dupdetect.spark.files import read_files

    with pytest.raises(InputError, match=r"crawl\.tar\.gz: is an archive, which executors cannot divide"):
        read_files(None, ["crawl.tar.gz"], Settings())  # type: ignore[arg-type]
