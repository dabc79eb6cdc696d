"""The generated corpus: the same bytes for a seed, and copies that are what the truth says."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

corpus = pytest.importorskip("corpus")

SMALL = corpus.Corpus(documents=400, seed=7, mean_bytes=2_000)


@pytest.fixture(scope="module")
def made():
    table, truth = corpus.generate(SMALL)
    return table["text"].to_pylist(), truth.to_pylist()


def shingles(text):
    words = "".join(c if c.isalnum() else " " for c in text.casefold()).split()
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


@pytest.mark.parametrize("size", [1, 17, 400])
def test_batch_size_does_not_matter(made, size):
    table = pa.Table.from_batches(corpus.batches(SMALL, size))
    assert table["text"].to_pylist() == made[0]
    assert table["id"].to_pylist() == list(range(400))


def test_a_seed_is_a_file(tmp_path):
    for name in ("a", "b"):
        corpus.write(corpus.Corpus(documents=50, seed=3), tmp_path / f"{name}.parquet", tmp_path / f"{name}.txt")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert (tmp_path / "a.truth.parquet").read_bytes() == (tmp_path / "b.truth.parquet").read_bytes()
    other, _ = corpus.generate(corpus.Corpus(documents=50, seed=4))
    assert "".join(other["text"].to_pylist()).encode() != (tmp_path / "a.txt").read_bytes()


def test_shares_and_forms(made):
    forms = [row["form"] for row in made[1]]
    assert sum(form in ("original", "page") for form in forms) == 280
    assert {form: forms.count(form) for form in set(forms)} == {
        "original": 252, "page": 28, "exact": 30, "edited": 48, "truncated": 18, "inside": 24,
    }  # fmt: skip
    assert all((row["original"] == row["id"]) == (row["form"] in ("original", "page")) for row in made[1])


def test_copies_are_what_they_are_called(made):
    texts, truth = made
    for row in truth:
        mine, theirs = texts[row["id"]], texts[row["original"]]
        if row["form"] == "exact":
            assert mine == theirs
        elif row["form"] == "truncated":
            assert theirs.startswith(mine[: int(len(mine) * 0.9)])
        elif row["form"] == "inside":
            assert theirs[:-2] in mine
            assert len(mine) > len(theirs)


def test_expected_jaccard(made):
    texts, truth = made
    copies = [row for row in truth if row["original"] != row["id"]]
    errors = []
    for row in copies:
        a, b = shingles(texts[row["id"]]), shingles(texts[row["original"]])
        errors.append(len(a & b) / max(len(a | b), 1) - row["jaccard"])
    assert abs(np.mean(errors)) < 0.03
    assert np.std(errors) < 0.08


def test_strangers_share_next_to_nothing(made):
    texts, truth = made
    seen, shared, total = set(), 0, 0
    for row in truth:
        if row["form"] == "original":
            own = shingles(texts[row["id"]])
            shared, total = shared + len(own & seen), total + len(own)
            seen |= own
    assert shared / total < 1e-3


def test_pages_of_a_site_share_their_boilerplate(made):
    texts, truth = made
    heads = [texts[row["id"]][:60] for row in truth if row["form"] == "page"]
    assert len(set(heads)) < len(heads)


def test_one_family():
    table, truth = corpus.generate(corpus.Corpus(documents=100, family=60, copies=0.0, mean_bytes=1_000))
    originals = truth["original"].to_pylist()
    assert max(map(originals.count, set(originals))) == 61
    assert len(set(table["text"].to_pylist())) > 90


def test_all_identical():
    table, truth = corpus.generate(corpus.Corpus(documents=40, identical=True))
    assert len(set(table["text"].to_pylist())) == 1
    assert set(truth["original"].to_pylist()) == {0}


def test_short_documents():
    table, _ = corpus.generate(corpus.Corpus(documents=300, mean_bytes=100))
    lengths = [len(text.encode()) for text in table["text"].to_pylist()]
    assert 50 < np.median(lengths) < 130
    assert min(lengths) > 0


def test_short_texts_are_lines(tmp_path):
    short = corpus.Corpus(**{"documents": 2000, "seed": 5} | corpus.SHORT)
    corpus.write(short, tmp_path / "short.parquet")
    texts = pq.read_table(tmp_path / "short.parquet")["text"].to_pylist()
    assert all(text.strip() and "\n" not in text.rstrip("\n") for text in texts)
    assert 60 < np.mean([len(text.encode()) for text in texts]) < 140
    truth = pq.read_table(tmp_path / "short.truth.parquet").to_pylist()
    assert {row["form"] for row in truth} == {"original", "exact", "edited", "truncated"}
    assert all(texts[row["id"]] == texts[row["original"]] for row in truth if row["form"] == "exact")


def test_a_family_may_be_all_there_is_of_one_length():
    table, truth = corpus.generate(corpus.Corpus(documents=200, family=200, spread=0.0, mean_bytes=2_000))
    assert set(truth["original"].to_pylist()) == {0}
    lengths = [len(text.encode()) for text in table["text"].to_pylist()]
    assert 1_700 < min(lengths) <= max(lengths) < 2_300
    assert len(set(table["text"].to_pylist())) > 190


@pytest.mark.parametrize("wrong", [{"documents": 0}, {"copies": 1.5}, {"family": 11}, {"mix": {"torn": 1.0}}])
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        corpus.Corpus(**{"documents": 10} | wrong)
