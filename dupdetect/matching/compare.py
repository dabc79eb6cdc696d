"""Two texts to what they have in common.

Input    two texts
Output   `Comparison`: the relation, the score that it rests on, Jaccard, both containments; passages when asked for
Cost     O(length of the texts)

Two texts are a corpus of two, judged as `dedup` judges it. What `dedup` may overlook, a text of fewer shingles than
`Settings.window` inside a longer one, has a relation only where the two share keys by which they are found. No others
show what of them is boilerplate; their lines, and how they share what they share, are looked at all the same
(`dupdetect.matching.boilerplate`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from dupdetect.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from dupdetect.matching.passages import Aligned, Passage
    from dupdetect.settings import GivenSettings, Settings, SettingsKeywords

#: Characters compared in a process from which on compiled code is loaded: interpreted, they take some seconds.
MANY = 1_000_000

_compared = 0


class Compared(NamedTuple):
    """What was compared: the two texts as they were given, and the unit."""

    a: str
    b: str
    unit: str


@dataclass(frozen=True)
class Comparison:
    """What two texts a and b have in common; all shares are in [0, 1].

    Attributes
    ----------
    relation : str or None
        Of a to b: "identical" (the same words), "near_duplicate" (Jaccard reaches the threshold), "contains" or
        "contained" (the content of one is inside the other), "syndicated" (what is left of them without boilerplate
        reaches the threshold); None where neither is a copy.
    jaccard : float
        Share of the distinct shingles of either that are of both; exact, each counting alike.
    containment_a : float
        Share of a inside b; the same.
    containment_b : float
        Share of b inside a; the same.
    score : float
        What was compared with the threshold, shingles weighed: Jaccard where this reaches it, else the share of the
        smaller inside the larger. Where too little is shared to be weighed, shingles count alike.
    strangers : bool
        Whether each has much text of its own beside what they share, as two articles on pages of one site have: then
        their content must be as alike as near duplicates are, too, and neither contains the other.
    removable : tuple of str
        Which of the two, "a" and "b", may be removed for the other: no more of it would be lost than `max_lost` says.
        Two copies of which neither may be stay both.
    """

    relation: str | None
    jaccard: float
    containment_a: float
    containment_b: float
    score: float
    strangers: bool
    removable: tuple[str, ...] = field(default=(), compare=False)
    compared: Compared = field(default=Compared("", "", "word"), repr=False, compare=False)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """What runs of words the texts share, the longest first; found when first asked for.

        Moved paragraphs are found, and quotations of eight words and more; texts of the same words are one passage,
        however short. A changed, added or dropped word does not end a passage. No character of a is in two of them.
        """
        return tuple(found.passage for found in self.aligned)

    @cached_property
    def aligned(self) -> list[Aligned]:
        """The passages, and what of each is equal in both texts."""
        from dupdetect.matching.passages import align

        return align(*self.compared)

    def as_dict(self) -> dict[str, Any]:
        """Return all fields and the passages, as JSON has them."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "compared"}
        return {**plain, "removable": list(self.removable), "passages": [asdict(passage) for passage in self.passages]}

    def _repr_html_(self) -> str:
        return _comparison_html(self)


def compare(
    a: str | Sequence[str | int],
    b: str | Sequence[str | int],
    *,
    settings: GivenSettings = None,
    **overrides: Unpack[SettingsKeywords],
) -> Comparison:
    """Compare two texts.

    Parameters
    ----------
    a, b : str
        Or lists of words, where `words` is the name of what cut them. Passages are then those of the words with a blank
        between them, cut anew.
    settings : Settings or mapping, optional
        Default settings if left out.
    **overrides
        Single settings, as `Settings` names them.

    Returns
    -------
    Comparison
        What `dedup` says of the two; of near duplicates, where it looks at them. A text without words has nothing in
        common with any: all shares are 0.

    Raises
    ------
    InputError
        Where a or b is no str, or holds a lone surrogate.
    SettingsError
        Where a setting is unknown or out of its range.

    Examples
    --------
    >>> compare("to be or not to be that is the question", "To be, or not to be: that is the question.").relation
    'identical'
    >>> there = "Tickets are sold on board. We shall repair the weir before the winter comes."
    >>> here = "She said: 'We shall repair the old weir before the winter comes.'"
    >>> [here[found.a_start : found.a_end] for found in compare(here, there).passages]
    ['We shall repair the old weir before the winter comes']
    """
    import pyarrow as pa

    from dupdetect.matching.candidates import find
    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import sketch_texts
    from dupdetect.text.clean import clean
    from dupdetect.text.given_words import cut, shown

    chosen = Settings.of(settings, **overrides)
    a, b = (_text(name, text, chosen) for name, text in (("a", a), ("b", b)))
    compared = Compared(shown(a), shown(b), chosen.unit) if chosen.listed else Compared(a, b, chosen.unit)
    a, b = clean(a), clean(b)
    if callable(chosen.words):
        a, b = cut(a, chosen.words), cut(b, chosen.words)
    _expect_more(len(a) + len(b))
    sketches = sketch_texts(pa.array([a, b], pa.large_string()), chosen)
    first, second = ((words, *digest) for words, digest in zip(sketches.words, sketches.digests.tolist(), strict=True))
    if not sketches.words.any() and a == b and a.strip():
        return _identical(compared)
    if not sketches.words.all():
        return Comparison(None, 0.0, 0.0, 0.0, 0.0, False, (), compared)
    if first == second:
        return _identical(compared)
    # A pair is judged in one order, whichever is asked about.
    found = _turned(_judged(b, a, chosen)) if first > second else _judged(a, b, chosen)
    if found.relation not in (None, "near_duplicate") and len(find(sketches).pairs) == 0:
        found = replace(found, relation=None, removable=())
    return replace(found, compared=compared)


def _identical(compared: Compared) -> Comparison:
    return Comparison("identical", 1.0, 1.0, 1.0, 1.0, False, ("a", "b"), compared)


def _expect_more(size: int) -> None:
    """Once so much was compared that compiled code would have paid, load it; but nobody waits for it to be compiled."""
    global _compared
    before, _compared = _compared, _compared + size
    if before <= MANY < _compared:
        from dupdetect._compiled import kernels
        from dupdetect._compiled.dispatch import expect_many_calls
        from dupdetect.matching.boilerplate_weights import grade_rows, weigh_pairs
        from dupdetect.matching.hash_join import count_shared
        from dupdetect.matching.patterns import read_pairs
        from dupdetect.matching.shingle_rows import mark_repeats

        loops = (grade_rows, weigh_pairs, count_shared, read_pairs, mark_repeats)
        if kernels.on_disk() and all(loop.is_on_disk() for loop in loops):
            expect_many_calls()


def _judged(a: str, b: str, settings: Settings) -> Comparison:
    """Judge two texts of different words as `dedup` does."""
    import numpy as np
    import pyarrow as pa

    from dupdetect._storage.context import Context
    from dupdetect.matching.boilerplate_votes import learn
    from dupdetect.matching.counter import PairCounter
    from dupdetect.matching.overlaps import RELATIONS
    from dupdetect.matching.pairs import pack
    from dupdetect.matching.removal import REMOVABLE_A, REMOVABLE_B, decided, is_decided
    from dupdetect.matching.verify import Verifier

    counter = PairCounter(pa.array([a, b], pa.large_string()), np.arange(2), Context(settings, 1))
    pair = pack(np.array([0]), np.array([1]))
    overlap, sharing = counter.overlaps(pair), counter.sharing(pair)
    weighed = Verifier(counter, learn(counter, sharing)).weigh(sharing)
    code = int(weighed.relations(settings)[0]) if len(weighed.pairs) else 0
    match = decided(weighed, settings)
    removable = [name for name, mark in (("a", REMOVABLE_A), ("b", REMOVABLE_B)) if is_decided(match, mark).any()]
    judged = weighed if len(weighed.pairs) else overlap
    return Comparison(
        RELATIONS[code] if code else None,
        float(overlap.jaccard[0]),
        float(overlap.containment_a[0]),
        float(overlap.containment_b[0]),
        float(judged.scores(settings)[0]),
        bool(judged.weights.strangers[0]),
        tuple(removable),
    )


def _turned(found: Comparison) -> Comparison:
    """Return what b has in common with a."""
    relation = {"contains": "contained", "contained": "contains"}.get(found.relation or "", found.relation)
    return replace(
        found,
        relation=relation,
        containment_a=found.containment_b,
        containment_b=found.containment_a,
        removable=tuple(name for name in "ab" if {"a": "b", "b": "a"}[name] in found.removable),
    )


def _text(name: str, given: Any, settings: Settings) -> str:
    """Return the text that is given; of a list of words, one that is cut into them."""
    from dupdetect.text.given_words import join

    if settings.listed and isinstance(given, list | tuple):
        try:
            given = join(given)
        except TypeError as error:
            raise InputError(f"{name} is no list of words: {error}") from None
    elif settings.listed:
        raise InputError(
            f"{name} is of type {type(given).__name__}; expected a list of words, for words is a name; to have a str "
            "cut, let words be a callable"
        )
    _check(name, given)
    return str(given)


def _check(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise InputError(f"{name} is of type {type(text).__name__}; expected a str")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{name} holds a lone surrogate (U+{ord(text[error.start]):04X}, character {error.start}); expected valid "
            "Unicode"
        ) from None


_WORDS = {
    "identical": "a and b have the same words",
    "near_duplicate": "a and b are near duplicates",
    "contains": "a contains b",
    "contained": "a is contained in b",
    "syndicated": "a and b are the same but for what comes with their pages",
    None: "a and b are no copies of each other",
}


def _comparison_html(found: Comparison) -> str:
    """Show a comparison in a notebook: its relation and figures, and the passages."""
    from dupdetect.text.html import SHOWN, counted, table

    figures = [
        ("score", found.score),
        ("Jaccard", found.jaccard),
        ("share of a inside b", found.containment_a),
        ("share of b inside a", found.containment_b),
    ]
    passages, text = found.passages, found.compared.a
    rows = [
        (passage.words, passage.similarity, passage.boilerplate, text[passage.a_start : passage.a_end])
        for passage in passages[:SHOWN]
    ]
    caption = counted(len(rows), len(passages), "passages that they share")
    return table(_WORDS[found.relation], ("", ""), figures) + table(
        caption, (f"{found.compared.unit}s", "similarity", "boilerplate", "in a"), rows
    )
