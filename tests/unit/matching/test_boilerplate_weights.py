import numpy as np
import pyarrow as pa
from generated_sites import Writer, site
from verifying import counter, judged

from dupdetect.matching import boilerplate_weights
from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.interleaving import FULL, SHORT
from dupdetect.matching.overlaps import Weights
from dupdetect.matching.pairs import pack
from dupdetect.matching.shingle_rows import HASH
from dupdetect.matching.verify import Verifier
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import marked_shingles


def test_rows_of_weights_are_named_as_their_fields():
    *names, last = Weights._fields
    assert [getattr(boilerplate_weights, name.upper()) for name in names] == list(range(len(names)))
    assert last == "strangers"


def test_the_own_vote_of_a_pair_is_left_out():
    """Two pages alone are interleaved, and say boilerplate; their own word does not count, a third page's does."""
    pages = list(site("en", "suit", 3).values())
    _, two = judged(pages[:2])
    assert two.weights.strangers.all()
    assert two.weights.boilerplate.tolist() == [0]
    _, three = judged(pages)
    assert three.weights.strangers.all()
    assert min(three.weights.boilerplate) > 0.9


def test_menus_around_an_article_are_not_lost_with_the_page():
    """They are new, and furniture: in shorter lines than the article, with few symbols."""
    story, menus = Writer("en", "s").story(4), [Writer("en", n).menu(60) for n in range(2)]
    _, pair = judged([f"{menus[0]}\n\n{story}\n\n{menus[1]}", story])
    words = pair.weights
    assert words.own_a[0] == words.new_a[0] > 170
    assert words.lost_a[0] < 0.05 * words.content_a[0]
    assert words.main_a[0] < 20
    assert (words.own_b[0], words.lost_b[0]) == (0, 0)


def test_code_around_what_is_shared_is_lost_with_the_document():
    """It stands in lines as short as those of menus; but it has symbols."""
    header = Writer("en", "licence").paragraph(60)
    code = "\n".join(f"value_{n} = load({n}) or {{}}" for n in range(30))
    _, pair = judged([f"{header}\n\n{code}", header])
    assert pair.weights.new_a[0] == pair.weights.lost_a[0] > 80
    assert pair.weights.main_a[0] < 10


def test_an_edit_of_a_line_that_is_shared_is_lost():
    story = Writer("en", "s").story(4)
    page = f"{Writer('en', 1).menu(40)}\n\n{story.replace(' the ', ' ').replace('. ', ' indeed. ')} So they all agreed."
    _, pair = judged([page, story])
    assert pair.weights.lost_a[0] >= 4


def test_of_strangers_menus_weigh_little():
    menu, stories = Writer("en", "m").menu(80), [Writer("en", n).story(4, 60) for n in range(2)]
    _, pair = judged([f"{menu}\n\n{story}" for story in stories])
    assert pair.weights.strangers.all()
    shared = pair.shared[0]
    assert SHORT / FULL * shared <= pair.weights.content_a[0] < 0.5 * shared


def test_settings_without_boilerplate_weigh_nothing():
    pages = list(site("en", "suit", 3).values())
    for settings in (Settings(boilerplate=False), Settings(unit="character")):
        judge, found = judged(pages, settings)
        assert found.given is None
        assert len(judge.boilerplate.shingles) == 0


def joined(first, second, size=2):
    """Count joined words of two texts, whichever is looked up: words that are not shared, and not counted."""
    settings = Settings(shingle_size=size)
    sets = [set(zip(*(text.split()[n:] for n in range(size)), strict=False)) for text in (first, second)]

    def apart(text, other):
        rows, runs = text.split(), list(zip(*(text.split()[n:] for n in range(size)), strict=False))
        covered = {place + n for place, run in enumerate(runs) if run in other for n in range(size)}
        return len(rows) - len(covered)

    own = {first: apart(first, sets[1]), second: apart(second, sets[0])}
    found = []
    for texts in ([first, second], [second, first]):
        _, pair = judged(texts, settings)
        words = pair.weights
        found.append((own[texts[0]] - int(words.own_a[0]), own[texts[1]] - int(words.own_b[0])))
    assert found[0] == found[1][::-1]
    return found[0]


def test_one_word_for_two_within_a_line_is_an_edit():
    """Nothing says that the one word is the other two: it may be 100 where the other has 700.50."""
    text = " ".join(f"word{n}" for n in range(160))
    assert joined(text, text.replace("word30 word31", "word30word31")) == (0, 0)
    assert joined(text, text.replace("word30", "other")) == (0, 0)


def wrapped(words, *, line=10):
    return "\n".join(" ".join(words[n : n + line]) for n in range(0, len(words), line))


def test_words_that_have_lost_the_space_between_them_where_a_line_ends_are_not_new():
    """Text that was cut out of a page without the ends of its lines, however short its lines are, or itself is."""
    words = [f"word{n}" for n in range(100)]
    lines = wrapped(words).split("\n")
    assert joined(wrapped(words), "".join(f"{line} " if n % 2 else line for n, line in enumerate(lines))) == (10, 5)
    assert joined(wrapped(words[:20]), "".join(lines[:2])) == (2, 1)


def test_a_word_for_two_that_stand_elsewhere_than_at_the_end_of_a_line_is_an_edit():
    """A form is filled in within a line, at the end of one or behind it."""
    words = [f"word{n}" for n in range(60)]
    within = [*words[:33], "100", *words[35:]]
    assert joined(wrapped(words), " ".join(within)) == (0, 0)
    ends = wrapped(words).replace("word29\nword30", "100\n")
    assert joined(wrapped(words), ends) == (0, 0)
    short = [f"word{n}" for n in range(24)]
    assert joined(wrapped(short, line=6), wrapped(short, line=6).replace("word11\nword12", "100")) == (0, 0)


def test_words_between_repeats_are_not_joined():
    """Which of the repeats is the other one's cannot be said."""
    text = wrapped([f"word{n}" for n in range(40)])
    again = text.replace("word29\nword30", "word29word30")
    assert joined(text, again) == (2, 1)
    assert max(joined(f"{text}\n{text}", f"{text}\n{again}")) == 0


def test_the_last_word_is_a_part_of_one_only_where_the_text_is_cut_short():
    words = [f"word{n}" for n in range(60)]
    text = " ".join(words)
    _, cut = judged([" ".join([*words[:20], "wor"]), text])
    assert (cut.weights.own_a[0], cut.weights.new_a[0]) == (1, 0)
    for other in (words[:20], words[:40]):  # the other ends there, too, or soon
        _, whole = judged([" ".join([*words[:20], "positive"]), " ".join([*other, "negative"])])
        assert (whole.weights.own_a[0], whole.weights.new_a[0]) == (1, 1)


def test_boilerplate_between_what_a_short_document_shares_is_new():
    """Every value may stand in other records; amid a long document the same words are boilerplate."""
    value, other = Writer("en", "value").line(12), Writer("en", "other").line(12)
    for words, new in ((30, 12), (60, 0)):
        first, last = Writer("en", "first").line(words), Writer("en", "last").line(words)
        texts = pa.array([f"{first}\n{value}\n{last}", f"{first}\n{other}\n{last}"], pa.large_string())
        shingles = marked_shingles(pa.array([value], pa.large_string()), np.arange(1), Settings())
        some, made = np.unique(shingles.values & HASH), counter(texts, Settings())
        known = Boilerplate.settled(some, np.full(len(some), 9, np.int32))
        pair = Verifier(made, known).weigh(made.sharing(pack(np.array([0]), np.array([1]))))
        assert (pair.weights.own_a[0], pair.weights.new_a[0]) == (12, new)
