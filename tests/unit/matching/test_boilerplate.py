import numpy as np
import pyarrow as pa
from generated_sites import Site, Writer, site
from verifying import counter

from dupdetect.matching.boilerplate import AGAINST, NEVER, PLAIN, Boilerplate, grade_table, look_up
from dupdetect.matching.boilerplate_votes import VOTES, _counted, _sample, learn
from dupdetect.matching.interleaving import FULL, INTERLEAVED, SHORT
from dupdetect.matching.overlaps import CONTAINED, NEAR_DUPLICATE, NONE, Overlaps, Weights
from dupdetect.matching.pairs import pack, unpack
from dupdetect.matching.shingle_rows import HASH
from dupdetect.matching.verify import Verifier
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import marked_shingles


def judged(texts, settings=None):
    """Judge all pairs of texts that share enough: a judge, the pairs weighed by what it learned."""
    settings = settings or Settings()
    a, b = np.triu_indices(len(texts), 1)
    made = counter(texts, settings)
    found = made.sharing(pack(a, b))
    judge = Verifier(made, learn(made, found))
    return judge, judge.weigh(found)


def one(shared, size_a, size_b, boilerplate=0.0, interleaved=False, counts=(100, 120, 150)):
    """Make up one pair that is weighed."""
    weights = Weights(*(np.array([value]) for value in (shared, size_a, size_b, boilerplate, interleaved)))
    return Overlaps(pack(np.array([0]), np.array([1])), *(np.array([n]) for n in counts), weights)


def test_weights_decide_and_not_counts():
    settings = Settings(threshold=0.8, containment=0.6)
    assert one(70.0, 80.0, 130.0).relations(settings)[0] == CONTAINED
    assert one(40.0, 80.0, 130.0).relations(settings)[0] == NONE
    assert one(80.0, 80.0, 90.0).relations(settings)[0] == NEAR_DUPLICATE
    assert one(70.0, 80.0, 130.0).scores(settings)[0] == 70 / 80
    assert one(70.0, 80.0, 130.0).jaccard[0] == 100 / 170


def test_an_interleaved_pair_must_share_as_much_as_near_duplicates():
    settings = Settings(threshold=0.8, containment=0.6)
    assert one(60.0, 80.0, 130.0, interleaved=True).relations(settings)[0] == NONE
    assert one(65.0, 80.0, 130.0, interleaved=True).relations(settings)[0] == CONTAINED


def test_text_that_is_boilerplate_alone_contains_nothing():
    settings = Settings(containment=0.6, min_shingles=16)
    assert one(2.0, 2.0, 9.0, boilerplate=0.95).relations(settings)[0] == NONE  # 5 shingles of content
    assert one(2.0, 2.0, 9.0, boilerplate=0.9).relations(settings)[0] == CONTAINED  # 10 of them


def test_pairs_that_are_weighed_and_others_are_united():
    plain = Overlaps(pack(np.array([0]), np.array([2])), *(np.array([n]) for n in (5, 6, 7)))
    for both in (plain | one(1.5, 2.5, 3.5, 0.25, True), one(1.5, 2.5, 3.5, 0.25, True) | plain):
        assert [column.tolist() for column in both.weights] == [[1.5, 5], [2.5, 6], [3.5, 7], [0.25, 0], [True, False]]
    assert (plain | plain).given is None
    assert plain.where(np.array([], np.int64)).weights.shared.tolist() == []


def test_shingles_are_looked_up_with_their_grades():
    hashes = np.array([4, 8, 12, 2**63, 2**64 - 4], np.uint64)
    grades = np.array([1, 2, 3, 1, 2], np.uint64)
    values = np.append(hashes, np.uint64(16)) | np.uint64(3)  # of main content, and a repeat
    assert look_up(grade_table(hashes, grades), values).tolist() == [1, 2, 3, 1, 2, NEVER]
    assert look_up(grade_table(hashes[:0], PLAIN), values).tolist() == [NEVER] * 6


def test_a_margin_that_a_vote_turns_has_a_grade_of_its_own():
    """A pair that voted boilerplate leaves one vote less for it, one that voted content `AGAINST` more."""
    margin = np.arange(-4, 5, dtype=np.int32)
    shingles = np.arange(4, 40, 4, dtype=np.uint64)
    pairs = pack(np.array([0, 1]), np.array([5, 5]))
    known = Boilerplate(shingles, margin, pairs, np.array([1, -AGAINST], np.int32))
    least = known.least(pack(np.array([0, 1, 2]), np.array([5, 5, 5])), np.full(3, INTERLEAVED, np.uint8))
    grades = look_up(known.grades, shingles)
    for vote, grade in zip((1, -AGAINST, 0), least, strict=True):
        assert (grades >= grade).tolist() == (margin - vote > 0).tolist()


def test_what_is_learned_are_shingles_of_the_texts():
    """As reports look for it."""
    pages = list(site("en", "suit", 3).values())
    judge, _ = judged(pages)
    rows = marked_shingles(pa.array(pages, pa.large_string()), np.arange(3), Settings())
    common = set.intersection(*(set((rows.row(n) & HASH).tolist()) for n in range(3)))
    assert judge.boilerplate.shingles.tolist() == sorted(common)


def test_values_are_counted():
    values = np.array([5, 3, 5, 9], np.uint64)
    assert [part.tolist() for part in _counted(values)] == [[3, 5, 9], [1, 2, 1]]
    assert [part.tolist() for part in _counted(values, np.array([1, 2, 3, 4], np.int32))] == [[3, 5, 9], [2, 4, 4]]
    assert [part.tolist() for part in _counted(values[:0], np.empty(0, np.int32))] == [[], []]


def test_no_document_votes_more_often_than_others():
    a, b = np.triu_indices(60, 1)
    sample = _sample(pack(a, b))
    times = np.bincount(np.concatenate(unpack(sample)), minlength=60)
    assert times.min() > 0
    assert times.max() <= VOTES
    assert sample.tolist() == sorted(_sample(pack(a, b)[::-1]).tolist())
    assert _sample(pack(a[:9], b[:9])).tolist() == pack(a[:9], b[:9]).tolist()


def test_the_own_vote_of_a_pair_is_left_out():
    """Two pages alone are interleaved, and say boilerplate; their own word does not count, a third page's does."""
    pages = list(site("en", "suit", 3).values())
    _, two = judged(pages[:2])
    assert two.weights.interleaved.all()
    assert two.weights.boilerplate.tolist() == [0]
    _, three = judged(pages)
    assert three.weights.interleaved.all()
    assert min(three.weights.boilerplate) > 0.9


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


def test_what_stands_in_short_lines_weighs_little():
    story, menus = Writer("en", "s").story(4), [Writer("en", n).menu(60) for n in range(4)]
    _, pair = judged([f"{menus[0]}\n\n{story}\n\n{menus[1]}", f"{menus[2]}\n\n{story}\n\n{menus[3]}"])
    own = pair.size_a[0] - pair.shared[0]
    assert own > 170
    short = SHORT / FULL * own
    assert short < pair.weights.size_a[0] - pair.weights.shared[0] < short + 20
    assert pair.weighted_containment[0] > 0.8 > 0.6 > pair.containment[0]


def test_settings_without_boilerplate_weigh_nothing():
    pages = list(site("en", "suit", 3).values())
    for settings in (Settings(boilerplate=False), Settings(unit="character")):
        judge, found = judged(pages, settings)
        assert found.given is None
        assert len(judge.boilerplate.shingles) == 0
