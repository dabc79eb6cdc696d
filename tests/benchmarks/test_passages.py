"""Pairs whose reuse is known: the same for a seed, what they are called, and found."""

import pytest

passages = pytest.importorskip("passages")


@pytest.mark.parametrize("script", passages.SCRIPTS)
def test_the_passages_of_a_few_pairs(script):
    maker = passages.Maker(script, 3)
    counts = {form: passages.score(maker.pair(form, 0.05, 4)) for form in passages.FORMS}
    found = sum((count for form, count in counts.items() if form != "stranger"), passages.Count())
    assert found.f1 >= passages.BAR
    assert counts["stranger"].found < 0.01 * found.both


def test_a_seed_is_a_pair():
    a, b, other = (passages.Maker("Thai", seed).pair("moved", 0.1) for seed in (1, 1, 2))
    assert (a.a.text, a.b.text, a.b.reused) == (b.a.text, b.b.text, b.b.reused)
    assert a.a.text != other.a.text
    assert len(a.a.text) == len(a.a.reused)


def test_reuse_is_marked_from_the_first_word_that_was_kept_to_the_last():
    text = passages.Text()
    text.add(["own ", "kept ", "new ", "kept ", "own "], [False, True, False, True, False])
    text.add(["own"])
    assert "".join(c for c, reused in zip(text.text, text.reused, strict=True) if reused) == "kept new kept "


def test_a_score_is_of_characters():
    text = passages.Text()
    text.add(["abcd ", "efgh ", "ijkl"], [True, True, False])
    count = passages.Count()
    count.add(text, [(2, 7), (10, 12)])
    assert (count.both, count.found, count.reused) == (4, 2, 4)
    assert (count.precision, count.recall, count.f1) == (4 / 6, 0.5, 8 / 14)
