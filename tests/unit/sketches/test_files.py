import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

import dupdetect
from dupdetect.errors import DupdetectError, InputError, MismatchError, OutputError
from dupdetect.io.schema import plain_column
from dupdetect.settings import Settings
from dupdetect.sketches import files as sketchfiles
from dupdetect.sketches.files import KEY, KEY_SUM, SketchFile, SketchWriter, read_sketches, write_sketches
from dupdetect.sketches.sketches import Sketches, sketch_by_reference
from dupdetect.sketches.table import end_to_end

SMALL = Settings(shingle_size=2, num_perm=16, window=3, bands=(4, 4))
TEXTS = [
    "",
    "harbour",
    "The harbour bridge was closed on Monday, said the town, and opened again on Friday.",
    "港の橋は月曜日に閉鎖された。検査で二本の柱にひびが見つかったためである。",
    "สะพานท่าเรือถูกปิดเมื่อวันจันทร์",
    "أُغلق جسر الميناء يوم الاثنين بعد أن كشف الفحص عن شقوق في اثنين من أعمدته",
    "Мост в гавани закрыли в понедельник: осмотр показал трещины в двух опорах.",
    "बंदरगाह का पुल सोमवार को बंद कर दिया गया",
    "🌉 😀 😀 🌉",
]
NAMES = ["empty", "one", "english", "日本語", "ไทย", "عربي", "русский", "हिन्दी", "🌉"]


def same(one: Sketches, other: Sketches) -> bool:
    signed = one.signatures is None if other.signatures is None else np.array_equal(one.signatures, other.signatures)
    return signed and all(
        np.array_equal(mine, theirs) and mine.dtype == theirs.dtype
        for mine, theirs in [
            (one.words, other.words),
            (one.digests, other.digests),
            (one.band_keys, other.band_keys),
            *zip(one.fingerprints, other.fingerprints, strict=True),
        ]
    )


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sketches.parquet"
    write_sketches(path, sketch_by_reference(TEXTS, SMALL), NAMES)
    return path


@pytest.fixture
def parted(tmp_path, monkeypatch):
    """Give a file of several parts."""
    monkeypatch.setattr(sketchfiles, "PART_BYTES", 600)
    path = tmp_path / "parted.parquet"
    write_sketches(path, sketch_by_reference(TEXTS * 3, SMALL))
    return path


@pytest.mark.parametrize("signatures", [True, False])
def test_sketches_come_back(tmp_path, signatures):
    made = sketch_by_reference(TEXTS, SMALL, signatures=signatures)
    write_sketches(tmp_path / "s.parquet", made, NAMES)
    ids, sketches = read_sketches(tmp_path / "s.parquet")
    assert ids.to_pylist() == NAMES
    assert same(sketches, made)
    assert sketches.settings.sketch_fingerprint == SMALL.sketch_fingerprint
    assert sketches.settings.banding == (4, 4)


@pytest.mark.parametrize(
    "ids",
    [
        range(9),
        np.arange(9, dtype=np.uint8),
        pa.array(NAMES, pa.large_string()),
        pa.chunked_array([NAMES[:2], NAMES[2:]]),
        pa.array(NAMES).dictionary_encode(),
        pa.array([name.encode() for name in NAMES]),
        pa.array(np.arange(9), pa.timestamp("ms")),
        pa.array([1.5] * 9),
        pa.array([True] * 9),
        pa.array([bytes([n] * 16) for n in range(9)], pa.binary(16)),
    ],
    ids=lambda ids: str(getattr(ids, "type", type(ids).__name__)),
)
def test_ids_keep_their_type(tmp_path, ids):
    given = list(ids) if isinstance(ids, range) else ids
    write_sketches(tmp_path / "s.parquet", sketch_by_reference(TEXTS, SMALL), given)
    read, _ = read_sketches(tmp_path / "s.parquet")
    expected = plain_column(pa.chunked_array([given]) if not isinstance(given, pa.ChunkedArray) else given)
    assert read.type == expected.type
    assert read.to_pylist() == expected.to_pylist()


def test_ids_of_seconds_become_milliseconds_for_parquet_has_no_seconds(tmp_path):
    write_sketches(tmp_path / "s.parquet", sketch_by_reference(TEXTS, SMALL), pa.array(np.arange(9), pa.timestamp("s")))
    ids, _ = read_sketches(tmp_path / "s.parquet")
    assert ids.type == pa.timestamp("ms")
    assert ids.cast(pa.int64()).to_pylist() == [1000 * n for n in range(9)]


def test_documents_are_numbered_where_they_have_no_ids(tmp_path):
    write_sketches(tmp_path / "s.parquet", sketch_by_reference(TEXTS, SMALL))
    assert read_sketches(tmp_path / "s.parquet")[0].to_pylist() == list(range(9))


def test_no_documents(tmp_path):
    for number, ids in enumerate([[], pa.array([], pa.int64()), None]):
        write_sketches(tmp_path / f"{number}.parquet", sketch_by_reference([], SMALL), ids)
        read, sketches = read_sketches(tmp_path / f"{number}.parquet", SMALL)
        assert len(read) == len(sketches) == len(sketches.fingerprints.values) == 0
        assert sketches.band_keys.shape == (0, 4)
        assert read.type == (pa.string() if number == 0 else pa.int64())


def test_parts_are_of_bounded_size_and_of_all_documents(parted):
    with SketchFile(parted) as file:
        parts = list(file.parts())
        assert len(file) == 27
        assert 3 < len(parts) < 27
        assert sum(len(part) for _, part in parts) == 27
        assert same(end_to_end([part for _, part in parts]), sketch_by_reference(TEXTS * 3, SMALL))
        assert [id for ids, _ in parts for id in ids.to_pylist()] == list(range(27))


def test_signatures_need_not_be_read(file):
    with SketchFile(file) as opened:
        assert opened.signatures
        ((_, without),) = opened.parts(signatures=False)
        assert without.signatures is None
        assert same(without, sketch_by_reference(TEXTS, SMALL, signatures=False))


def test_a_file_of_no_parts(tmp_path):
    with SketchWriter(tmp_path / "s.parquet", SMALL):
        pass
    assert len(SketchFile(tmp_path / "s.parquet")) == 0


# ---- what cannot be written ----


def test_ids_are_as_many_as_sketches(tmp_path):
    with pytest.raises(InputError, match="2 ids were given for 9 sketches"):
        write_sketches(tmp_path / "s.parquet", sketch_by_reference(TEXTS, SMALL), ["a", "b"])
    assert not list(tmp_path.iterdir())


def test_ids_are_not_null(tmp_path):
    with pytest.raises(InputError, match="1 of the ids are null"):
        write_sketches(tmp_path / "s.parquet", sketch_by_reference(TEXTS, SMALL), [*NAMES[:8], None])


@pytest.mark.parametrize("ids", [[1, "a"], ["\ud800", "a"], [object(), 1], [{"a": 1}, {"a": 2}]])
def test_ids_that_cannot_be(tmp_path, ids):
    with pytest.raises(InputError, match="strings or"):
        write_sketches(tmp_path / "s.parquet", sketch_by_reference(TEXTS[:2], SMALL), ids)
    assert not list(tmp_path.iterdir())


def test_all_parts_have_ids_of_one_type(tmp_path):
    one = sketch_by_reference(TEXTS[:1], SMALL)
    with SketchWriter(tmp_path / "s.parquet", SMALL) as writer:
        writer.add(["1"], one)
        writer.add(pa.array(["2"], pa.large_string()), one)
        with pytest.raises(InputError, match="the ids of these sketches are int64, those before them string"):
            writer.add([3], one)
    assert read_sketches(tmp_path / "s.parquet")[0].to_pylist() == ["1", "2"]


def test_all_parts_have_signatures_or_none(tmp_path):
    with SketchWriter(tmp_path / "s.parquet", SMALL) as writer:
        writer.add([1], sketch_by_reference(TEXTS[:1], SMALL))
        with pytest.raises(MismatchError, match="some of the sketches have signatures"):
            writer.add([2], sketch_by_reference(TEXTS[:1], SMALL, signatures=False))


def test_all_parts_have_the_settings_of_the_file(tmp_path):
    with (
        pytest.raises(MismatchError, match="seed 2, where 1 is wanted"),
        SketchWriter(tmp_path / "s.parquet", SMALL) as writer,
    ):
        writer.add([1], sketch_by_reference(TEXTS[:1], SMALL.replace(seed=2)))


def test_a_file_stays_as_it_was_if_the_new_one_fails(file):
    before = file.read_bytes()
    with pytest.raises(InputError):
        write_sketches(file, sketch_by_reference(TEXTS, SMALL), ["too", "few"])
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OutputError, match=r"cannot be written \(No such file or directory\)"):
        write_sketches(tmp_path / "none" / "s.parquet", sketch_by_reference(TEXTS, SMALL))


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_sketches(tmp_path / "s.parquet", sketch_by_reference(TEXTS, SMALL))
    assert not list(tmp_path.iterdir())


# ---- what cannot be read ----


def test_other_settings_are_refused_by_name_and_both_values(file):
    wanted = Settings(shingle_size=3, num_perm=16, window=3, bands=(4, 4), seed=7)
    message = "made with shingle_size 2, where 3 is wanted and seed 1, where 7 is wanted"
    with pytest.raises(MismatchError, match=message):
        read_sketches(file, wanted)


def test_settings_that_decide_no_sketch_are_not_compared(file):
    wanted = SMALL.replace(containment=0.9, hot_key_documents=7, canonical="longest")
    assert read_sketches(file, wanted)[1].settings is wanted


def test_other_bands_are_made_of_the_signatures(file):
    wanted = SMALL.replace(bands=(8, 2))
    with SketchFile(file, wanted) as opened:
        ((_, sketches),) = opened.parts(signatures=False)
    assert same(sketches, sketch_by_reference(TEXTS, wanted, signatures=False))
    assert same(read_sketches(file, wanted)[1], sketch_by_reference(TEXTS, wanted))


def test_other_bands_are_refused_without_signatures(tmp_path):
    write_sketches(tmp_path / "s.parquet", sketch_by_reference(TEXTS, SMALL, signatures=False))
    with pytest.raises(MismatchError, match=r"bands \(4, 4\), where \(8, 2\) is wanted"):
        read_sketches(tmp_path / "s.parquet", SMALL.replace(bands=(8, 2)))


def described(file, change):
    """Write a file anew with another description, its checksum right."""
    table, said = pq.read_table(file), json.loads(pq.read_metadata(file).metadata[KEY])
    change(said)
    text = json.dumps(said)
    with pq.ParquetWriter(file, table.schema.remove_metadata(), use_dictionary=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({KEY: text, KEY_SUM: xxhash.xxh3_64_hexdigest(text.encode())})


def test_a_later_format_is_refused(file):
    described(file, lambda said: said.update(format=2, versions={"dupdetect": "9.1"}))
    with pytest.raises(InputError, match=r"format 2, of dupdetect 9\.1; this version reads formats up to 1: update"):
        read_sketches(file)


def test_a_description_that_says_something_else_is_refused(file):
    described(file, lambda said: said["settings"].update(num_perm=32))
    with pytest.raises(InputError, match="its columns are not those that were written"):
        read_sketches(file)


def test_documents_that_are_missing(parted):
    described(parted, lambda said: said.update(documents=28))
    described(parted, lambda said: said.update(parts=said["parts"][:1]))
    with pytest.raises(InputError, match="damaged"):
        read_sketches(parted)


def test_what_is_no_file_of_sketches(tmp_path):
    with pytest.raises(InputError, match="No such file or directory"):
        read_sketches(tmp_path / "none.parquet")
    with pytest.raises(InputError, match="holds no Parquet files of sketches"):
        read_sketches(tmp_path)
    (tmp_path / "text.txt").write_text("no Parquet")
    with pytest.raises(InputError, match="damaged"):
        read_sketches(tmp_path / "text.txt")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "table.parquet")
    with pytest.raises(InputError, match="no file of sketches; expected one that `dupdetect sketch` wrote"):
        read_sketches(tmp_path / "table.parquet")


def test_a_flipped_bit_is_an_error_or_makes_no_difference(parted, tmp_path):
    data, (ids, sketches) = parted.read_bytes(), read_sketches(parted)
    damaged, noticed = tmp_path / "damaged.parquet", 0
    for bit in np.random.default_rng(1).integers(0, 8 * len(data), 120).tolist():
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        damaged.write_bytes(flipped)
        try:
            read_ids, read = read_sketches(damaged)
        except DupdetectError as error:
            noticed += "\n" not in str(error)
        else:
            assert read_ids.equals(ids)
            assert same(read, sketches)
    assert noticed > 80


def test_a_file_cut_short_is_an_error(parted, tmp_path):
    data = parted.read_bytes()
    for length in range(0, len(data), 199):
        (tmp_path / "short.parquet").write_bytes(data[:length])
        with pytest.raises(InputError, match="damaged or cut short"):
            read_sketches(tmp_path / "short.parquet")


# ---- other tools ----


def test_the_columns_are_what_the_docstring_says(file):
    table = pq.read_table(file)
    made = sketch_by_reference(TEXTS, SMALL)
    assert table["signature"].to_pylist() == made.signatures.tolist()
    assert table["band_keys"].to_pylist() == made.band_keys.tolist()
    assert table["fingerprints"].to_pylist() == [made.fingerprints.row(n).tolist() for n in range(9)]
    assert [np.frombuffer(one, "<u8").tolist() for one in table["digest"].to_pylist()] == made.digests.tolist()


def test_signatures_go_to_datasketch_and_back(tmp_path):
    texts = [f"the {n} boats of harbour {n} left at dawn and the others at noon" for n in range(4)]
    made = dupdetect.sketch([*texts, texts[2]])
    write_sketches(tmp_path / "s.parquet", made)
    _, sketches = read_sketches(tmp_path / "s.parquet")
    assert sketches.to_datasketch(2).jaccard(sketches.to_datasketch(4)) == 1
    assert sketches.to_datasketch(0).hashvalues.tolist() == made.signatures[0].tolist()
    assert sketches.jaccard(made).diagonal().tolist() == [1] * 5
