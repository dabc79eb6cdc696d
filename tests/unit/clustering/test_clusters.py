import numpy as np
from verifying import unweighed

from dupdetect.clustering import digests as digest_rules
from dupdetect.clustering.clusters import cleanness, cluster
from dupdetect.clustering.digests import contents, part_digests
from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.pairs import pack
from dupdetect.settings import Settings

SETTINGS = Settings(shingle_size=1, containment=0.7, min_shingles=3)


def overlaps(*rows):
    """Make overlaps from rows of (a, b, shared, size_a, size_b)."""
    rows = sorted(rows)
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    return Overlaps(pack(columns[0], columns[1]), *columns[2:])


def passage(name, words=10):
    return " ".join(f"{name}{n}" for n in range(words))


def clustered(texts):
    """Cluster texts whose every pair is a candidate: the canonical of each."""
    return parted(texts)[0].tolist()


def parted(texts):
    """Cluster texts: the canonical of each, which are digests, the matches, and what counts them."""
    n = len(texts)
    verifier = unweighed(texts, SETTINGS, 1)
    matches = verifier.overlaps(pack(*np.triu_indices(n, 1))).matches(SETTINGS)
    clean = cleanness(n, matches)
    return *part_digests(cluster(clean, matches), clean, matches, verifier), matches, verifier


def held(texts, chosen=None, forgotten=()):
    """Say what digests hold: rows of (digest, canonical, containment, share)."""
    canonical, digests, matches, verifier = parted(texts)
    known = matches.where(~np.isin(matches.pairs, pack(*np.array(forgotten, np.int64).reshape(-1, 2).T)))
    chosen = canonical if chosen is None else np.array(chosen)
    found = contents(digests, canonical, chosen, known, verifier)
    columns = (found.digest, found.canonical, found.containment, found.share)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_cleanness_is_the_mean_share_that_matches_hold():
    matches = overlaps((0, 1, 10, 10, 40), (0, 2, 8, 10, 8))
    assert cleanness(4, matches).tolist() == [(1.0 + 0.8) / 2, 10 / 40, 1.0, 0.0]
    assert cleanness(0, overlaps()).tolist() == []


def test_without_matches_everyone_stands_alone():
    assert cluster(np.zeros(3), overlaps()).tolist() == [0, 1, 2]
    assert cluster(np.zeros(0), overlaps()).tolist() == []


def test_the_cleanest_is_canonical():
    matches = overlaps((0, 1, 10, 40, 10), (1, 2, 10, 10, 50))
    assert cluster(cleanness(3, matches), matches).tolist() == [1, 1, 1]


def test_among_equally_clean_ones_the_lesser_number_is_canonical():
    matches = overlaps((0, 1, 9, 10, 10), (0, 2, 9, 10, 10), (1, 2, 9, 10, 10))
    assert cluster(cleanness(3, matches), matches).tolist() == [0, 0, 0]


def test_a_chain_of_matches_merges_nothing():
    # 0-1-2-3: neighbours match, others do not.
    chain = overlaps(*((n, n + 1, 8, 10, 10) for n in range(3)))
    canonical = cluster(np.array([0.9, 0.8, 0.7, 0.6]), chain).tolist()
    assert canonical == [0, 0, 2, 2]


def test_a_member_goes_to_the_canonical_that_it_shares_the_most_with():
    # Both 0 and 1 are canonicals; 2 was taken by 0, for it is the cleaner, but is more of 1.
    matches = overlaps((0, 2, 7, 10, 10), (1, 2, 9, 10, 10))
    assert cluster(np.array([0.9, 0.8, 0.5]), matches).tolist() == [0, 1, 1]


def test_between_equal_containments_the_more_alike_canonical_is_chosen():
    matches = overlaps((0, 2, 10, 10, 40), (1, 2, 20, 20, 40))
    assert cluster(np.array([0.9, 0.8, 0.5]), matches).tolist() == [0, 1, 1]


def test_a_page_goes_to_its_article():
    article, menu = passage("article", 30), passage("menu", 20)
    assert clustered([article, f"{menu} {article}", passage("other", 30)]) == [0, 0, 2]


def test_a_round_up_merges_nothing_and_stands_alone():
    articles = [passage(name) for name in "abcde"]
    assert clustered([*articles, " ".join(articles)]) == [0, 1, 2, 3, 4, 5]


def test_a_round_up_does_not_part_an_article_from_its_page():
    articles = [passage(name) for name in "abc"]
    page = f"{articles[0]} {passage('menu', 4)}"
    assert clustered([*articles, page, " ".join(articles)]) == [0, 1, 2, 0, 4]


def test_round_ups_that_are_copies_of_each_other_form_a_cluster():
    articles = [passage(name) for name in "abcd"]
    copies = [" ".join(articles), " ".join([*articles, "late"]), " ".join(["early", *articles])]
    canonical = clustered([*articles, *copies])
    assert canonical[:4] == [0, 1, 2, 3]
    assert len(set(canonical[4:])) == 1
    assert canonical[4] in (4, 5, 6)


def test_a_document_that_is_mostly_one_of_its_texts_is_no_bridge():
    long, short = passage("long", 40), passage("short", 10)
    assert clustered([long, short, f"{long} {short}"]) == [0, 1, 0]


def test_versions_of_one_text_inside_a_document_make_no_bridge():
    # Three canonicals that share more than half: one text in versions, and the document holds it.
    versions = [f"{passage('same', 12)} {passage(name, 6)}" for name in "abc"]
    whole = " ".join([passage("same", 12), *(passage(name, 6) for name in "abc")])
    canonical = clustered([*versions, whole])
    assert canonical[3] in (0, 1, 2)


def test_two_texts_are_foreign_where_they_share_less_than_half():
    assert (digest_rules.FOREIGN, digest_rules.MOST) == (0.5, 0.5)
    for shared, alone in ((5, False), (4, True)):
        same, own = passage("same", shared), 10 - shared
        versions = [f"{same} {passage(name, own)}" for name in "abc"]
        whole = " ".join([same, *(passage(name, own) for name in "abc")])
        assert (clustered([*versions, whole])[3] == 3) == alone


def test_a_document_of_two_texts_of_a_length_is_no_bridge():
    one, other = passage("one"), passage("other")
    assert clustered([one, other, f"{one} {other}"])[2] in (0, 1)


def with_words_changed(text, number, every=20):
    return " ".join(f"new{number}" if n % every == number % every else word for n, word in enumerate(text.split()))


def test_many_copies_of_a_round_up_merge_nothing_either():
    # The round-ups are cleaner than the articles, which each holds only in part: one of them goes first.
    articles = [passage(name, 20) for name in "abcde"]
    whole = " ".join(f"{passage(name, 17)} {name}cut {name}shorter {name}edited" for name in "abcde")
    copies = [with_words_changed(whole, number, every=100) for number in range(40)]
    canonical, digests, matches, _ = parted([*articles, *copies])
    clean = cleanness(len(canonical), matches)
    assert cluster(clean, matches)[:5].min() >= 5
    assert canonical[:5].tolist() == [0, 1, 2, 3, 4]
    assert len(set(canonical[5:].tolist())) == 1
    assert digests.tolist() == [False] * 5 + [True] * 40


def test_a_year_of_round_ups_is_a_copy_of_none_of_them():
    articles = [passage(name) for name in "abcdefghi"]
    weeks = [" ".join(articles[n : n + 3]) for n in (0, 3, 6)]
    canonical, digests, *_ = parted([*articles, *weeks, " ".join(weeks)])
    assert canonical.tolist() == list(range(13))
    assert digests.tolist() == [False] * 9 + [True] * 4


def test_the_copies_of_an_article_stay_with_it_when_its_excerpts_do_not():
    words = passage("article", 100).split()
    excerpts = [" ".join(words[n : n + 10]) for n in (0, 40, 80)]
    canonical = clustered([*excerpts, *(with_words_changed(" ".join(words), n) for n in range(6))])
    assert canonical[:3] == [0, 1, 2]
    assert len(set(canonical[3:])) == 1


def test_what_a_round_up_holds_is_measured():
    articles = [passage("a", 10), passage("b", 16), passage("c", 20), passage("unheard", 12)]
    whole = " ".join([passage("a", 10), passage("b", 12), passage("c", 20), passage("own", 8)])
    assert held([*articles, whole]) == [(4, 0, 1.0, 0.2), (4, 1, 0.75, 0.24), (4, 2, 1.0, 0.4)]


def test_what_a_round_up_holds_is_listed_by_who_represents_it_in_the_end():
    articles = [passage(name) for name in "abc"]
    page = f"{articles[0]} {passage('menu', 4)}"
    texts = [*articles, page, " ".join(articles)]
    assert held(texts, chosen=[3, 1, 2, 3, 4]) == [(4, 1, 1.0, 1 / 3), (4, 2, 1.0, 1 / 3), (4, 3, 10 / 14, 1 / 3)]


def test_a_year_of_round_ups_holds_them_and_their_articles():
    articles = [passage(name) for name in "abcdefghi"]
    weeks = [" ".join(articles[n : n + 3]) for n in (0, 3, 6)]
    rows = [row[:2] for row in held([*articles, *weeks, " ".join(weeks)])]
    assert rows == [(9 + n // 3, n) for n in range(9)] + [(12, n) for n in range(12)]


def test_copies_of_a_round_up_are_found_to_hold_what_one_of_them_holds():
    # Of a large family not every match is known: here those of the second round-up.
    articles = [passage(name) for name in "abcd"]
    texts = [*articles, " ".join(articles), " ".join([*articles, "late"])]
    assert held(texts, forgotten=[(n, 5) for n in range(4)]) == held(texts)
    assert [row[:2] for row in held(texts)] == [(b, n) for b in (4, 5) for n in range(4)]


def test_without_bridges_nothing_is_held():
    assert held([passage("a"), passage("b")]) == []
    assert held([]) == []
