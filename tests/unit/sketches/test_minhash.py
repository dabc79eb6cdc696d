import numpy as np
import oracles
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.errors import MismatchError
from dupdetect.sketches import minhash

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=20)


@given(HASHES, st.sampled_from([2, 3, 64, 100, 128]), st.sampled_from([0, 1, 42, 2**32 - 1]))
def test_a_signature_is_that_of_datasketch(hashes, num_perm, seed):
    signed = minhash.signature(np.array(hashes, np.uint64), minhash.permutations(num_perm, seed))
    assert signed.dtype == np.uint32
    assert signed.tolist() == oracles.minhash(hashes, num_perm, seed).hashvalues.tolist()


def test_a_signature_made_in_several_blocks_is_that_of_datasketch(monkeypatch):
    monkeypatch.setattr(minhash, "BLOCK", 7 * 16)
    hashes = np.arange(1, 101, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    signed = minhash.signature(hashes, minhash.permutations(16, 1))
    assert signed.tolist() == oracles.minhash(hashes, 16, 1).hashvalues.tolist()


@given(HASHES)
def test_a_signature_does_not_depend_on_order_or_repeats(hashes):
    permutations = minhash.permutations(16, 1)
    once = minhash.signature(np.array(hashes, np.uint64), permutations)
    again = minhash.signature(np.array(hashes[::-1] + hashes, np.uint64), permutations)
    assert once.tolist() == again.tolist()


def test_nothing_is_signed_with_all_ones():
    signed = minhash.signature(np.empty(0, np.uint64), minhash.permutations(8, 1))
    assert signed.tolist() == [2**32 - 1] * 8


def test_permutations_are_those_of_datasketch_whatever_the_seed():
    for seed in (0, 1, 7, 2**32 - 1):
        factors, terms = minhash.permutations(32, seed)
        theirs = MinHash(32, seed, scheme="affine32").permutations
        assert np.array_equal(factors, theirs[0])
        assert np.array_equal(terms, theirs[1])
        assert (factors % 2 == 1).all()


def test_a_signature_goes_to_datasketch_and_back_unchanged():
    signed = minhash.signature(np.arange(50, dtype=np.uint64) << np.uint64(35), minhash.permutations(64, 9))
    theirs = minhash.to_datasketch(signed, 9)
    assert theirs.hashvalues.tolist() == signed.tolist()
    assert theirs.hashvalues.dtype == signed.dtype
    back = minhash.from_datasketch(theirs, num_perm=64, seed=9)
    assert back.dtype == np.uint32
    assert back.tolist() == signed.tolist()


def test_datasketch_goes_on_where_a_signature_stopped():
    hashes = np.arange(50, dtype=np.uint64) << np.uint64(35)
    whole = minhash.signature(hashes, minhash.permutations(64, 9))
    begun = minhash.to_datasketch(minhash.signature(hashes[:20], minhash.permutations(64, 9)), 9)
    begun.update_batch([int(value) >> 32 for value in hashes[20:]])
    assert begun.hashvalues.tolist() == whole.tolist()
    assert begun.jaccard(oracles.minhash(hashes, 64, 9)) == 1.0


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"scheme": "affine64"}, "scheme 'affine64', expected 'affine32'"),
        ({"scheme": "legacy"}, "scheme 'legacy', expected 'affine32'"),
        ({"seed": 2}, "seed 2, expected 1"),
        ({"num_perm": 32}, "num_perm 32, expected 64"),
    ],
)
def test_a_minhash_made_otherwise_is_refused(made, message):
    theirs = MinHash(**{"num_perm": 64, "seed": 1, "scheme": "affine32", **made})
    with pytest.raises(MismatchError, match=message):
        minhash.from_datasketch(theirs, num_perm=64, seed=1)
