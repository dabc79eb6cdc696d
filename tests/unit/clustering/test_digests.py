import numpy as np
from verifying import clustered, parted, passage

from dupdetect.clustering import digests as digest_rules
from dupdetect.clustering.clusters import cleanness, cluster
from dupdetect.clustering.digests import contents
from dupdetect.matching.pairs import pack


def contained(texts, chosen=None, forgotten=()):
    """Say what digests hold: rows of (digest, canonical, containment, share)."""
    canonical, digests, matches, verifier = parted(texts)
    known = matches.where(~np.isin(matches.pairs, pack(*np.array(forgotten, np.int64).reshape(-1, 2).T)))
    chosen = canonical if chosen is None else np.array(chosen)
    found = contents(digests, canonical, chosen, known, verifier)
    columns = (found.digest, found.canonical, found.containment, found.share)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def with_words_changed(text, number, every=20):
    return " ".join(f"new{number}" if n % every == number % every else word for n, word in enumerate(text.split()))


def test_a_round_up_merges_nothing_and_stands_alone():
    articles = [passage(name) for name in "abcde"]
    assert clustered([*articles, " ".join(articles)]) == [0, 1, 2, 3, 4, 5]


def test_a_round_up_does_not_part_an_article_from_its_page():
    articles = [passage(name) for name in "abc"]
    page = f"{articles[0]} {passage('menu', 4)}"
    assert clustered([*articles, page, " ".join(articles)]) == [3, 1, 2, 3, 4]


def test_round_ups_that_are_copies_of_each_other_form_a_cluster():
    articles = [passage(name) for name in "abcd"]
    copies = [" ".join(articles), " ".join([*articles, "late"]), " ".join(["early", *articles])]
    canonical = clustered([*articles, *copies])
    assert canonical[:4] == [0, 1, 2, 3]
    assert len(set(canonical[4:])) == 1
    assert canonical[4] in (4, 5, 6)


def test_a_document_that_is_mostly_one_of_its_texts_is_no_digest_document():
    long, short = passage("long", 40), passage("short", 10)
    canonical, digests, *_ = parted([long, short, f"{long} {short}"])
    assert (canonical.tolist(), digests.any()) == ([0, 1, 0], False)


def test_versions_of_one_text_inside_a_document_make_no_digest_document():
    # Three canonicals that share more than half: one text in versions, and the document holds it.
    versions = [f"{passage('same', 12)} {passage(name, 6)}" for name in "abc"]
    whole = " ".join([passage("same", 12), *(passage(name, 6) for name in "abc")])
    canonical, digests, *_ = parted([*versions, whole])
    assert (canonical.tolist(), digests.any()) == ([3] * 4, False)


def test_two_texts_are_foreign_where_they_share_less_than_half():
    assert (digest_rules.FOREIGN, digest_rules.MOST) == (0.5, 0.5)
    for shared, alone in ((5, False), (4, True)):
        same, own = passage("same", shared), 10 - shared
        versions = [f"{same} {passage(name, own)}" for name in "abc"]
        whole = " ".join([same, *(passage(name, own) for name in "abc")])
        assert parted([*versions, whole])[1].tolist() == [False] * 3 + [alone]


def test_a_document_of_two_texts_of_a_length_is_no_digest_document():
    one, other = passage("one"), passage("other")
    canonical, digests, *_ = parted([one, other, f"{one} {other}"])
    assert (canonical.tolist(), digests.any()) == ([2, 2, 2], False)


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


def test_what_a_round_up_contains_is_measured():
    articles = [passage("a", 10), passage("b", 16), passage("c", 20), passage("unheard", 12)]
    whole = " ".join([passage("a", 10), passage("b", 12), passage("c", 20), passage("own", 8)])
    assert contained([*articles, whole]) == [(4, 0, 1.0, 0.2), (4, 1, 0.75, 0.24), (4, 2, 1.0, 0.4)]


def test_what_a_round_up_contains_is_listed_by_who_represents_it_in_the_end():
    articles = [passage(name) for name in "abc"]
    page = f"{articles[0]} {passage('menu', 4)}"
    texts = [*articles, page, " ".join(articles)]
    assert contained(texts, chosen=[3, 1, 2, 3, 4]) == [(4, 1, 1.0, 1 / 3), (4, 2, 1.0, 1 / 3), (4, 3, 10 / 14, 1 / 3)]


def test_a_year_of_round_ups_contains_them_and_their_articles():
    articles = [passage(name) for name in "abcdefghi"]
    weeks = [" ".join(articles[n : n + 3]) for n in (0, 3, 6)]
    rows = [row[:2] for row in contained([*articles, *weeks, " ".join(weeks)])]
    assert rows == [(9 + n // 3, n) for n in range(9)] + [(12, n) for n in range(12)]


def test_copies_of_a_round_up_are_found_to_contain_what_one_of_them_does():
    # Of a large family not every match is known: here those of the second round-up.
    articles = [passage(name) for name in "abcd"]
    texts = [*articles, " ".join(articles), " ".join([*articles, "late"])]
    assert contained(texts, forgotten=[(n, 5) for n in range(4)]) == contained(texts)
    assert [row[:2] for row in contained(texts)] == [(b, n) for b in (4, 5) for n in range(4)]


def test_without_digest_documents_nothing_is_contained():
    assert contained([passage("a"), passage("b")]) == []
    assert contained([]) == []
