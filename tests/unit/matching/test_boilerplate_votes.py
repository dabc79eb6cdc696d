import numpy as np
import pyarrow as pa
from generated_sites import Site, Writer, site
from verifying import judged

from dupdetect.matching.boilerplate_votes import VOTES, _sample
from dupdetect.matching.pairs import pack, unpack
from dupdetect.matching.shingle_rows import HASH
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import marked_shingles


def test_what_is_learned_are_shingles_of_the_texts():
    """As reports look for it."""
    pages = list(site("en", "suit", 3).values())
    judge, _ = judged(pages)
    rows = marked_shingles(pa.array(pages, pa.large_string()), np.arange(3), Settings())
    common = set.intersection(*(set((rows.row(n) & HASH).tolist()) for n in range(3)))
    assert judge.boilerplate.shingles.tolist() == sorted(common)


def test_no_document_votes_more_often_than_others():
    a, b = np.triu_indices(60, 1)
    pairs = pack(a, b)
    everyone = np.ones(len(pairs), np.bool_)
    sample = pairs[_sample(pairs, everyone)]
    times = np.bincount(np.concatenate(unpack(sample)), minlength=60)
    assert times.min() > 0
    assert times.max() <= VOTES
    assert sample.tolist() == sorted(pairs[::-1][_sample(pairs[::-1], everyone)].tolist())
    assert _sample(pairs, pairs < pairs[9]).tolist() == list(range(9))


def test_more_than_two_thirds_say_boilerplate():
    """A notice of a site: three pairs say boilerplate, each copy of it among its pages says content twice."""
    suit, writer = Site.of("en", "suit"), Writer("en", "content")
    pages = [suit.page(Writer("en", n).story()) for n in range(4)]
    notice = suit.below.split("\n")[-1]
    six, _ = judged(pages)
    assert (six.boilerplate.margin == 6).all()
    judge, _ = judged([*pages, notice])
    margins = set(judge.boilerplate.margin.tolist())
    assert margins == {6, 6 - 2 * 4}
    assert (judge.boilerplate.margin < 0).sum() == len(notice.split()) - 4
    assert writer.story() not in pages
