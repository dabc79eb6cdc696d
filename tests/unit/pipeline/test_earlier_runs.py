import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from generated_sites import LANGUAGES, Writer, site

from dupdetect._storage.arrays import Storage
from dupdetect.cli.main import main
from dupdetect.errors import InputError, MismatchError
from dupdetect.matching.keys import Keys
from dupdetect.pipeline.dedup import dedup
from dupdetect.pipeline.earlier_runs import Earlier, common_type, find_outputs
from dupdetect.pipeline.related import KeySet
from dupdetect.settings import Settings
from dupdetect.sketches.build import sketch
from dupdetect.sketches.files import write_sketches
from dupdetect.text.clean import clean

SETTINGS = Settings()
TEXTS = {f"{language} {n}": Writer(language, n).story(2) for language in LANGUAGES for n in range(3)}
TEXTS |= {
    "long": Writer("en", "long").story(8),
    "empty": "",
    "soft": "The lighthouse keep\u00ader counted the ferries that were clo-\nsed in by the ice.",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("earlier") / "out"
    dedup(TEXTS, settings=SETTINGS, sketches=True).write(folder)
    return folder


@pytest.fixture
def out(written, tmp_path):
    """Give a copy of an output, to be tampered with."""
    return shutil.copytree(written, tmp_path / "out")


def keys_of(texts):
    made = sketch([clean(text) for text in texts])
    n, bands = made.band_keys.shape
    return [
        Keys.of(made.band_keys.reshape(-1), bands * np.arange(n + 1)),
        Keys.of(made.fingerprints.values, made.fingerprints.offsets),
    ]


def related_to(earlier, texts, ids=()):
    return earlier.related(KeySet(keys_of(texts), Storage()), pa.chunked_array([ids], pa.string()), Storage())


# ---- what is related ----


def test_nothing_is_left_of_results_beside_what_cannot_be_used(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(InputError, match="against holds a int") as raised:
        dedup(["a text"], against=[dedup(["a text"]), 5])
    assert list(tmp_path.iterdir()) == []
    assert raised  # which holds all that the call had


def test_related_are_the_documents_that_share_a_key(written):
    earlier = Earlier(written, SETTINGS)
    assert earlier.documents == len(TEXTS)
    for name in ("ar 1", "th 0", "soft"):
        related = related_to(earlier, ["Nobody else wrote this.", TEXTS[name]])
        assert name in related.ids.to_pylist()
        sketches = {id: sketch([clean(text)]) for id, text in TEXTS.items()}
        mine = sketches[name]
        for id, other in sketches.items():
            shares = np.isin(other.band_keys, mine.band_keys).any()
            shares |= np.isin(other.fingerprints.values, mine.fingerprints.values).any()
            assert (id in related.ids.to_pylist()) == shares


def test_documents_without_words_are_related_to_none(written):
    assert related_to(Earlier(written, SETTINGS), ["", "..."]).ids.to_pylist() == []


def test_documents_are_related_by_their_ids(written):
    related = related_to(Earlier(written, SETTINGS), ["Nobody else wrote this."], ["hi 2", "empty", "new"])
    assert related.ids.to_pylist() == ["hi 2", "empty"]
    assert [len(related.bands.row(n)) for n in range(2)] == [0, 0]
    assert related.words.tolist() == [sketch([TEXTS["hi 2"]]).words[0], 0]


def test_keys_that_no_new_document_has_are_only_counted(written):
    related = related_to(Earlier(written, SETTINGS), [" ".join(TEXTS["long"].split()[:200])])
    whole = sketch([TEXTS["long"]])
    assert related.ids.to_pylist() == ["long"]
    assert 0 < len(related.fingerprints.row(0)) < len(whole.fingerprints.row(0)) == related.fingerprints_each[0]
    assert set(related.fingerprints.row(0)) < set(whole.fingerprints.row(0))


def test_frequent_keys_of_others_do_not_count(tmp_path):
    chrome = Writer("en", "chrome").line(200)
    pages = {f"page {n}": f"{chrome} {Writer('en', n).line(100)}" for n in range(12)}
    dedup(pages, settings=SETTINGS, containment=1, threshold=1).write(tmp_path / "out")
    found = []
    for frequent in (11, 12):
        with (
            Earlier(tmp_path / "out", Settings(hot_key_documents=frequent)) as earlier,
            pytest.warns(match="sketched again"),
        ):
            found.append(related_to(earlier, [Writer("en", 3).line(100)]))
    few, many = found
    assert few.ids.to_pylist() == many.ids.to_pylist() == ["page 3"]
    shared = set.intersection(*(set(sketch([page]).fingerprints.values.tolist()) for page in pages.values()))
    assert len(shared) > 3
    assert many.fingerprints_each - few.fingerprints_each == [len(shared)]


def test_texts_and_rows_of_some(written):
    earlier = Earlier(written, SETTINGS)
    related = related_to(earlier, TEXTS.values())
    ids = [id for id in TEXTS if id != "empty"]
    assert related.ids.to_pylist() == ids
    chosen = np.array([2, 5, len(ids) - 1])
    texts = [text for part in earlier.texts(related, chosen) for text in part.to_pylist()]
    assert texts == [clean(TEXTS[ids[n]]) for n in chosen]
    table = earlier.rows(related, chosen, None)
    assert table.to_pylist() == [{"id": ids[n], "text": TEXTS[ids[n]]} for n in chosen]
    with pytest.raises(InputError, match=r"there is no column 'date', by which documents .*; .* 'id', 'text'"):
        earlier.rows(related, chosen, ["date"])


def test_without_sketches_texts_are_signed_again(out):
    ready = related_to(Earlier(out, SETTINGS), TEXTS.values())
    (out / "sketches.parquet").unlink()
    earlier = Earlier(out, SETTINGS)
    with pytest.warns(UserWarning, match=r"no sketches.parquet, so 24 texts are sketched again; `dedup --sketches`"):
        signed = related_to(earlier, TEXTS.values())
    related_to(earlier, TEXTS.values())  # once is enough
    earlier.close()
    assert ready.ids.equals(signed.ids)
    assert np.array_equal(ready.digests, signed.digests)
    assert np.array_equal(ready.fingerprints.values, signed.fingerprints.values)


def test_what_is_template_adds_up(tmp_path):
    pages = site("en", "gazette", 6)
    dedup(pages).write(tmp_path / "one")
    dedup({f"x{id}": text for id, text in pages.items()}).write(tmp_path / "two")
    (once, margin), (twice, margins) = (
        Earlier(paths, SETTINGS).boilerplate for paths in (tmp_path / "one", [tmp_path / "one", tmp_path / "two"])
    )
    assert len(once) > 20
    assert once.tolist() == twice.tolist() == sorted(set(once.tolist()))
    assert (2 * margin).tolist() == margins.tolist()


# ---- which outputs ----


def test_outputs_are_found_in_a_folder_of_them_each_once(tmp_path):
    for name in ("tuesday", "monday", "notes"):
        (tmp_path / name).mkdir()
    for name in ("tuesday", "monday"):
        (tmp_path / name / "manifest.json").write_text("{}")
    days = [tmp_path / "monday", tmp_path / "tuesday"]
    assert find_outputs(tmp_path) == find_outputs(str(tmp_path)) == days
    assert find_outputs([tmp_path / "tuesday", tmp_path, tmp_path / "notes" / ".." / "monday"]) == days[::-1]


def test_what_is_no_output(tmp_path):
    with pytest.raises(InputError, match="there is no such folder"):
        find_outputs(tmp_path / "none")
    (tmp_path / "notes.txt").write_text("")  # an empty folder will hold outputs
    with pytest.raises(InputError, match=r"neither it nor a folder in it holds a manifest\.json"):
        find_outputs(tmp_path)


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_other_formats_are_refused(tmp_path, format):
    dedup(TEXTS).write(tmp_path / "out", format=format)
    with pytest.raises(InputError, match=rf"clusters\.{format} does not tell the types .* write the output anew, as"):
        Earlier(tmp_path / "out", SETTINGS)


def test_sketches_of_other_settings_are_refused(out):
    with pytest.raises(
        MismatchError, match=r"sketches\.parquet: the sketches were made with seed 1, where 2 is wanted"
    ):
        Earlier(out, SETTINGS.replace(seed=2))
    with pytest.raises(MismatchError, match="bands"):
        Earlier(out, SETTINGS.replace(threshold=0.5))
    assert Earlier(out, SETTINGS.replace(containment=0.9, canonical="first")).documents == 24


def test_sketches_of_other_documents_are_refused(out):
    write_sketches(out / "sketches.parquet", sketch(["one", "two"]), ["one", "two"])
    with pytest.raises(InputError, match=r"of other documents \(they are of 2 documents, and 24 were kept\)"):
        Earlier(out, SETTINGS)
    write_sketches(out / "sketches.parquet", sketch(TEXTS.values()), [f"x {id}" for id in TEXTS])
    with pytest.raises(InputError, match="their ids are not those of the documents kept there"):
        related_to(Earlier(out, SETTINGS), TEXTS.values())


def test_the_column_of_texts_is_the_one_that_the_output_names(tmp_path):
    table = pa.table({"url": ["a", "b"], "body": ["one text", "another text"]})
    dedup(table, id="url", text="body").write(tmp_path / "out")
    assert Earlier(tmp_path / "out", SETTINGS).documents == 2
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest.pop("columns") == {"text": "body", "id": "url"}
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"there is no column 'text' of texts; the columns are 'url', 'body'"):
        Earlier(tmp_path / "out", SETTINGS)
    assert Earlier(tmp_path / "out", SETTINGS, text="body").documents == 2


@pytest.mark.parametrize("name", ["manifest.json", "clusters.parquet", "kept.parquet", "sketches.parquet"])
def test_damaged_files_are_named(out, name):
    data = (out / name).read_bytes()
    (out / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=f"{name}: the file is damaged"):
        related_to(Earlier(out, SETTINGS), TEXTS.values())


@pytest.mark.parametrize("lacking", ["canonical", "id"])
def test_clusters_that_lack_a_column_are_damaged(out, lacking):
    table = pq.read_table(out / "clusters.parquet")
    pq.write_table(
        table.rename_columns([name.replace(lacking, "x") for name in table.column_names]), out / "clusters.parquet"
    )
    with pytest.raises(InputError, match=r"clusters\.parquet: the file is damaged or missing"):
        Earlier(out, SETTINGS)


@pytest.mark.parametrize("name", ["boilerplate", "digests", "superseded"])
def test_smaller_tables_that_are_damaged_are_named(out, name):
    def read():
        with Earlier(out, SETTINGS) as earlier:
            related_to(earlier, TEXTS.values())
            return earlier.boilerplate

    (out / f"{name}.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match=rf"{name}\.parquet: its first bytes say that it is plain text"):
        read()
    pq.write_table(pa.table({"x": [1]}), out / f"{name}.parquet")
    with pytest.raises(InputError, match=rf"{name}\.parquet: there is no column"):
        read()


def test_missing_tables_are_named(out):
    (out / "kept.parquet").unlink()
    with pytest.raises(InputError, match=r"kept\.parquet: the rows that were kept are not in this folder; write"):
        Earlier(out, SETTINGS)


def test_ids_of_two_kinds_cannot_be_told_apart(written):
    with pytest.raises(InputError, match="ids of earlier and of new documents are string and int64"):
        Earlier(written, SETTINGS).related(KeySet([], Storage()), pa.chunked_array([[1, 2]]), Storage())
    assert common_type(pa.int32(), pa.int64(), "ids") == pa.int64()
    assert common_type(pa.string(), pa.large_string(), "ids") == pa.large_string()
    with pytest.raises(InputError, match=r"cast one column of ids .*--id-prefix file"):
        common_type(pa.string(), pa.binary(), "ids")


def test_names_of_files_before_ids_make_them_of_one_type(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = TEXTS["en 0"]
    pq.write_table(pa.table({"id": ["a"], "text": [text]}), "test.parquet")
    pq.write_table(pa.table({"id": pa.array([17], pa.int32()), "text": [text]}), "train.parquet")
    for name, against in (("test", []), ("train", ["--against", "test"])):
        command = ["dedup", f"{name}.parquet", "-o", name, "--id-prefix", "file", "--sketches", "-q", *against]
        assert main(command) == 0
    assert pq.read_table("train/clusters.parquet")["cluster"].to_pylist() == ["test.parquet:a"]


def test_an_output_of_nothing(tmp_path):
    dedup({}, sketches=True).write(tmp_path / "out")
    earlier = Earlier(tmp_path / "out", SETTINGS)
    assert len(related_to(earlier, ["one text"])) == earlier.documents == 0


def test_superseded_documents_are_not_there_any_more(out):
    table = pq.read_table(out / "clusters.parquet")
    pq.write_table(table.filter(pa.compute.equal(table["id"], "ja 1")), out / "superseded.parquet")
    earlier = Earlier(out, SETTINGS)
    assert earlier.documents == 23
    assert "ja 1" not in related_to(earlier, TEXTS.values()).ids.to_pylist()
    assert related_to(earlier, ["x"], ["ja 1"]).ids.to_pylist() == []


def articles(count, first=0):
    texts = [Writer("en", f"article {first + at}").story(2) for at in range(count)]
    rows = [text.split(" ", 6) for text in texts]
    return pa.table(
        {
            "id": [f"{first}-{at}" for at in range(count)],
            "title": [" ".join(row[:-1]) for row in rows],
            "content": [{"body": row[-1], "source": "wire"} for row in rows],
        }
    )


@pytest.mark.parametrize("sketches", [False, True])
@pytest.mark.parametrize("given", ["a result", "a folder", "files"])
@pytest.mark.parametrize("text", [["title", "content.body"], "content.body"])
@pytest.mark.filterwarnings("ignore:.*sketched again")
def test_texts_made_of_several_columns_or_of_a_field_are_made_again(tmp_path, text, given, sketches):
    first, table = articles(4), pa.concat_tables([articles(4), articles(2, first=100)])
    table = table.set_column(0, "id", pa.array([f"new {at}" for at in range(6)]))
    if given == "files":
        pq.write_table(first, tmp_path / "first.parquet")
        pq.write_table(table, tmp_path / "second.parquet")
        first, table = tmp_path / "first.parquet", tmp_path / "second.parquet"
    before = dedup(first, text=text, sketches=sketches)
    if given != "a result":
        before.write(tmp_path / "before")
        assert "title + content.body" not in pq.read_schema(tmp_path / "before" / "kept.parquet").names
        before = tmp_path / "before"
    result = dedup(table, text=text, against=before, prefer={"content.source": ["wire"]})
    assert result.clusters["cluster"].to_pylist() == ["0-0", "0-1", "0-2", "0-3", "new 4", "new 5"]


def test_an_output_without_one_of_the_columns_of_its_texts_is_refused(tmp_path):
    dedup(articles(3), text=["title", "content.body"]).write(tmp_path / "before", columns=["id", "title"])
    with pytest.raises(InputError, match=r"there is no column 'title \+ content.body' of texts; the columns are"):
        dedup(articles(3), text=["title", "content.body"], against=tmp_path / "before")


def test_such_an_output_can_be_verified_explained_audited_and_loaded(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pq.write_table(articles(5), "in.parquet")
    text = ["--text", "title", "--text", "content.body"]
    assert main(["dedup", "in.parquet", *text, "-o", "out", "--sketches", "-q"]) == 0
    (tmp_path / "in.parquet").rename("moved.parquet")  # so that only what was kept is there
    for command in (["verify", "out"], ["explain", "out", "0-1"], ["audit", "out", "moved.parquet"]):
        assert main(command) == 0, command
    assert main(["index", "load", "index.db", "out", "--metadata", "content.source"]) == 0
    assert main(["dedup", "moved.parquet", *text, "-o", "again", "-q", "--against", "out"]) == 0
    assert pq.read_table("again/clusters.parquet")["canonical"].to_pylist() == [False] * 5


def test_a_night_of_another_threshold_is_told_by_the_threshold(tmp_path):
    dedup(["渡し船は遅れた。", "The ferry was late."], sketches=True).write(tmp_path / "out")
    with pytest.raises(MismatchError, match=r"bands \(14, 9\), where \(20, 6\) is wanted for threshold 0\.7; s"):
        dedup({"new": "late"}, against=tmp_path / "out", threshold=0.7)
    with pytest.raises(MismatchError, match=r"bands \(14, 9\), where \(20, 6\) is wanted; s"):
        dedup({"new": "late"}, against=tmp_path / "out", bands=(20, 6))


def test_nan_may_be_an_id_of_an_earlier_document(tmp_path):
    """It equals nothing, itself not either: its sketches were said to be of other documents."""
    dedup(pa.table({"id": [1.0, float("nan")], "text": ["one text", "another"]}), sketches=True).write(tmp_path / "out")
    result = dedup(pa.table({"id": [2.0], "text": ["One text!"]}), against=tmp_path / "out")
    assert result.clusters["cluster"].to_pylist() == [1.0]
