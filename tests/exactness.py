"""Settings and passages of the property tests: small enough that naive references can say what is right."""

from dupdetect.settings import Settings

#: Every shingle is a fingerprint and every band one row, so that no copy is missed and oracles can be exact.
EXACT = Settings(
    shingle_size=2,
    window=1,
    num_perm=16,
    bands=(16, 1),
    min_shared_fingerprints=0.01,
    min_shingles=3,
    hot_key_documents=1000,
)

#: The same, but keys are soon frequent.
CROWDED = EXACT.replace(hot_key_documents=3, bands=(4, 4), window=2)

#: Passages of which documents are put together; each is a run of words of its own.
PASSAGES = [" ".join(f"{name}{n}" for n in range(6)) for name in "abcdef"]
