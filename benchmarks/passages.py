"""Passages in pairs of texts whose reuse is known.

    python benchmarks/passages.py --pairs 40 --json passages.json

makes pairs of texts of invented words in ten ways of writing, one made of the other in one of the ways below, at
several rates of edits (a third of them words replaced, a third added, a third dropped); finds their passages; and holds
the characters in them against those that were reused, in both texts. ``--time`` also times texts of a megabyte.

======== ==============================================================================================
copy     all of a, edited
moved    all of a, its paragraphs in another order
quoted   a text of its own with quotations of 12 to 60 words
page     all of a, in a page: menus, ticker, teasers between its paragraphs, footer
site     both are pages of one site; its menus are no reuse, and counts as found unless told to be boilerplate
merged   paragraphs of a among others
stranger nothing of a: what is found is wrong
======== ==============================================================================================

Counted are characters that are no white space. Reused is what lies between the first and the last word that was kept
of a paragraph or quotation, the edits between included.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from reporting import bar, bars_table, machine, markdown

from dupdetect.matching.passages import find_passages
from dupdetect.matching.spans import find_spans

FORMS = ("copy", "moved", "quoted", "page", "site", "merged", "stranger")
RATES = (0.0, 0.02, 0.05, 0.1)

#: What this library has set itself to reach: F1 of all characters, at every rate of edits.
BAR = 0.97


class Script(NamedTuple):
    """How invented words of a script are made: of which parts, how many, and what stands between words."""

    heads: str
    tails: str
    between: str
    stop: str


SCRIPTS = {
    "English": Script("b c d f g h k l m n p r s t v w br st tr ch", "a e i o u ai ea on er in ast", " ", ". "),
    "Russian": Script("б в г д ж з к л м н п р с т ф х ст пр кр", "а е и о у ы я ов ен ость ил", " ", ". "),
    "Arabic": Script("ب ت ج ح د ر س ش ع ف ق ك ل م ن ه ال", "ا و ي َا ِي ُو ة ان", " ", "، "),
    "Hindi": Script("क ख ग च ज ट ड त द न प ब म य र ल व श स ह क्ष", "ा ि ी ु ू े ै ो ौ ं क़ा", " ", "। "),
    "Chinese": Script(
        "江船雾茶灯石桥窗冬钟园信市乐路云面天地人山水火木金土春夏秋",
        "大小上下左右东西南北来去开关生长花草鱼鸟",
        "",
        "。",
    ),
    "Japanese": Script("川舟霧茶石橋窓冬園手紙市場音楽道雲朝昼夜", "のにをはがともからまでですますたガギ", "", "。"),
    "Thai": Script("ก ข ค ง จ ช ด ต ถ ท น บ ป ผ พ ม ย ร ล ว ส ห อ", "า ี ู ้า ่อ ำ น้ำ ัน ิง", "", " "),
    "Korean": Script("가 나 다 라 마 바 사 아 자 차 카 하 강 산", "은 는 이 가 을 에서 하다 했다 고 며", " ", ". "),
    "emoji": Script("🚢 ☕ 🌫️ 👩‍👩‍👧 fi ﬂ st ra mo le", "on er ing ½ ly 😀", " ", "… "),
    "decomposed": Script("ca ĺe tré go ňo mi še", "fé u\u0308 o\u0302 in na ss\u00ad ti", " ", ". "),
}


class Language:
    """Words of one script, some of them very common, and sentences of them."""

    def __init__(self, script: Script, rng: random.Random, words: int = 3000) -> None:
        heads, tails = (part.split() if " " in part else list(part) for part in (script.heads, script.tails))
        self._script, self._rng = script, rng
        made = (
            "".join(rng.choice(heads) + rng.choice(tails) for _ in range(rng.choice((1, 1, 2, 2, 3))))
            for _ in range(9 * words)
        )
        self._words = list(dict.fromkeys(made))[:words]
        self._weights = [1 / (rank + 3) for rank in range(len(self._words))]

    def words(self, count: int) -> list[str]:
        """Return words, some with what ends a sentence."""
        drawn = self._rng.choices(self._words, self._weights, k=count)
        return [word + (self._script.stop if self._rng.random() < 0.07 else self._script.between) for word in drawn]


@dataclass
class Text:
    """A text as it is put together, and which of its characters are reused."""

    parts: list[str] = field(default_factory=list)
    reused: list[bool] = field(default_factory=list)

    def add(self, words: Iterable[str], kept: Iterable[bool] | None = None) -> None:
        """Add words; all from the first that was kept to the last is reused."""
        words = list(words)
        flags = list(kept) if kept is not None else [False] * len(words)
        first = flags.index(True) if any(flags) else len(flags)
        last = len(flags) - 1 - flags[::-1].index(True) if any(flags) else -1
        for number, word in enumerate(words):
            self.parts.append(word)
            self.reused += [first <= number <= last] * len(word)
        self.parts.append("\n")
        self.reused.append(False)

    @property
    def text(self) -> str:
        return "".join(self.parts)


@dataclass
class Pair:
    a: Text = field(default_factory=Text)
    b: Text = field(default_factory=Text)


class Maker:
    """Makes pairs.

    Parameters
    ----------
    script : str
        One of `SCRIPTS`.
    seed : int
    """

    def __init__(self, script: str, seed: int) -> None:
        self._rng = random.Random(f"{script} {seed}")
        self._language = Language(SCRIPTS[script], self._rng)

    def pair(self, form: str, rate: float, paragraphs: int = 8) -> Pair:
        """Return a pair of one form of reuse."""
        story = [self._language.words(self._rng.randint(25, 120)) for _ in range(paragraphs)]
        return getattr(self, f"_{form}")(story, rate)  # type: ignore[no-any-return]

    def _edited(self, words: list[str], rate: float) -> tuple[list[bool], list[str], list[bool]]:
        """Edit words; return which are kept, the edited ones, and which of these are old."""
        kept, new, old = [], [], []
        for word in words:
            turn = self._rng.random() / rate if rate else 1.0
            kept.append(not turn < 2 / 3)
            if turn >= 1 / 3:
                new.append(word if turn >= 2 / 3 else self._language.words(1)[0])
                old.append(turn >= 2 / 3)
            if 2 / 3 <= turn < 1:
                new.append(self._language.words(1)[0])
                old.append(False)
        return kept, new, old

    def _reuse(self, pair: Pair, parts: list[list[str]], rate: float, order: list[int] | None = None) -> None:
        """Add parts to a, and edited, in some order, to b."""
        edited = [self._edited(part, rate) for part in parts]
        for part, (kept, _, _) in zip(parts, edited, strict=True):
            pair.a.add(part, kept)
        for number in order or range(len(parts)):
            pair.b.add(*edited[number][1:])

    def _copy(self, story: list[list[str]], rate: float) -> Pair:
        pair = Pair()
        self._reuse(pair, story, rate)
        return pair

    def _moved(self, story: list[list[str]], rate: float) -> Pair:
        pair = Pair()
        self._reuse(pair, story, rate, self._rng.sample(range(len(story)), len(story)))
        return pair

    def _quoted(self, story: list[list[str]], rate: float) -> Pair:
        pair = Pair()
        for number, part in enumerate(story):
            pair.b.add(self._language.words(self._rng.randint(25, 120)))
            size = self._rng.randint(12, 60)
            start = self._rng.randint(0, max(len(part) - size, 0))
            if number % 2 or size > len(part):
                pair.a.add(part)
                continue
            kept, new, old = self._edited(part[start : start + size], rate)
            if not any(kept):
                kept, new, old = [True] * size, part[start : start + size], [True] * size
            pair.a.add(part, [False] * start + kept + [False] * (len(part) - start - size))
            pair.b.add(new, old)
        return pair

    def _page(self, story: list[list[str]], rate: float) -> Pair:
        pair = Pair()
        self._menus(pair.b, 40)
        for part in story:
            self._reuse(pair, [part], rate)
            if self._rng.random() < 0.4:
                pair.b.add(self._language.words(self._rng.randint(17, 40)))
        self._menus(pair.b, 40)
        return pair

    def _site(self, story: list[list[str]], rate: float) -> Pair:
        pair = Pair()
        state = self._rng.getstate()
        for text in (pair.a, pair.b):  # the same menus
            self._rng.setstate(state)
            self._menus(text, 40)
        for text in (pair.a, pair.b):
            text.add(self._language.words(self._rng.randint(40, 160)))
        self._reuse(pair, story[:3], rate)
        for text in (pair.a, pair.b):
            text.add(self._language.words(self._rng.randint(40, 160)))
        state = self._rng.getstate()
        for text in (pair.a, pair.b):
            self._rng.setstate(state)
            self._menus(text, 40)
        return pair

    def _merged(self, story: list[list[str]], rate: float) -> Pair:
        pair = Pair()
        for part in story:
            if self._rng.random() < 0.5:
                self._reuse(pair, [part], rate)
            else:
                pair.a.add(part)
            pair.b.add(self._language.words(self._rng.randint(25, 120)))
        return pair

    def _stranger(self, story: list[list[str]], _: float) -> Pair:
        pair = Pair()
        for part in story:
            pair.a.add(part)
            pair.b.add(self._language.words(len(part)))
        return pair

    def _menus(self, text: Text, lines: int) -> None:
        for _ in range(lines):
            text.add(self._language.words(self._rng.randint(1, 3)))


@dataclass
class Count:
    """Characters found and reused, found only, reused only."""

    both: int = 0
    found: int = 0
    reused: int = 0

    def add(self, text: Text, spans: list[tuple[int, int]]) -> None:
        """Count a text's characters; `spans` are those of its passages."""
        whole = text.text
        marked = [False] * len(whole)
        for start, end in spans:
            marked[start:end] = [True] * (end - start)
        for character, mark, reused in zip(whole, marked, text.reused, strict=True):
            if not character.isspace():
                self.both += mark and reused
                self.found += mark and not reused
                self.reused += reused and not mark

    def __add__(self, other: Count) -> Count:
        return Count(self.both + other.both, self.found + other.found, self.reused + other.reused)

    @property
    def precision(self) -> float:
        return self.both / max(self.both + self.found, 1)

    @property
    def recall(self) -> float:
        return self.both / max(self.both + self.reused, 1)

    @property
    def f1(self) -> float:
        return 2 * self.both / max(2 * self.both + self.found + self.reused, 1)


def score(pair: Pair, unit: str = "word") -> Count:
    """Find a pair's passages and count their characters; those that are more boilerplate than not are none."""
    passages = [each for each in find_passages(pair.a.text, pair.b.text, unit) if each.boilerplate <= 0.5]
    count = Count()
    count.add(pair.a, [(each.a_start, each.a_end) for each in passages])
    count.add(pair.b, [(each.b_start, each.b_end) for each in passages])
    return count


def scores(pairs: int, seed: int = 0, unit: str = "word") -> dict[tuple[str, float, str], Count]:
    """Score so many pairs of each form, rate and script: counts by these."""
    found = {}
    for script in SCRIPTS:
        maker = Maker(script, seed)
        for form in FORMS:
            for rate in RATES:
                counts = (score(maker.pair(form, rate), unit) for _ in range(pairs))
                found[form, rate, script] = sum(counts, Count())
    return found


def pooled(found: dict[tuple[str, float, str], Count], wanted: Callable[[tuple[str, float, str]], bool]) -> Count:
    """Return the counts of all that is wanted, together."""
    return sum((count for key, count in found.items() if wanted(key)), Count())


def timings(size: int = 1 << 20) -> dict[str, float]:
    """Time pairs of texts of so many bytes: seconds of one processor, the best of three."""
    english, chinese = (Maker(script, 7) for script in ("English", "Chinese"))

    def long(maker: Maker, form: str, rate: float) -> tuple[str, str]:
        pair = maker.pair(form, rate, 1 + size // 350)
        a, b = (text.text.encode()[:size].decode(errors="ignore") for text in (pair.a, pair.b))
        return a, b

    texts = {
        "English, 5 % edited": long(english, "copy", 0.05),
        "English, moved, 10 % edited": long(english, "moved", 0.1),
        "English, strangers": long(english, "stranger", 0.0),
        "Chinese, 5 % edited": long(chinese, "copy", 0.05),
        "Chinese, strangers": long(chinese, "stranger", 0.0),
        "one word": ("a " * (size // 2), "a " * (size // 2)),
        "a period of nine words": (("one two three four five six seven eight nine " * (size // 45)),) * 2,
    }
    seconds = {}
    for name, (a, b) in texts.items():
        find_passages(a, b)
        runs = []
        for _ in range(3):
            find_spans.cache_clear()  # a text that was just looked at is not cut into words again
            start = time.process_time()
            find_passages(a, b)
            runs.append(time.process_time() - start)
        seconds[name] = min(runs)
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10, help="of each form, rate and script")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--unit", choices=("word", "character"), default="word")
    parser.add_argument("--time", action="store_true", help="also time texts of a megabyte")
    parser.add_argument("--json", metavar="FILE", help="write all scores there")
    options = parser.parse_args()
    found = scores(options.pairs, options.seed, options.unit)
    rows: list[dict[str, Any]] = [
        {"form": form, "rate": rate, "script": script, "precision": c.precision, "recall": c.recall, "f1": c.f1}
        for (form, rate, script), c in found.items()
    ]
    each = {rate: pooled(found, lambda key, rate=rate: key[0] != "stranger" and key[1] == rate) for rate in RATES}
    print(_by_form(found, each))
    print(_by_script(found))
    strangers = pooled(found, lambda key: key[0] == "stranger")
    print(f"\nStrangers: {strangers.found:,} characters found.\n")
    asked = [bar(f"F1, {rate:.0%} edited", count.f1, "≥", BAR) for rate, count in each.items()]
    if options.time:
        seconds = timings()
        asked += [bar(f"seconds, {name}", taken, "≤", 1.0) for name, taken in seconds.items()]
    print(bars_table(asked))
    if options.json:
        Path(options.json).write_text(json.dumps({"scores": rows, "bars": asked, "machine": machine()}, indent=1))
    return 0 if all(row["met"] for row in asked) else 1


def _by_form(found: dict[tuple[str, float, str], Count], each: dict[float, Count]) -> str:
    """A row a form, a column a rate of edits: F1, and of what it is made."""
    lines = [
        [form, *(_cell(pooled(found, lambda key, pair=(form, rate): key[:2] == pair)) for rate in RATES)]
        for form in FORMS[:-1]
    ]
    lines.append(["all", *map(_cell, each.values())])
    return markdown(["F1 (precision, recall)", *(f"{rate:.0%} edited" for rate in RATES)], lines)


def _by_script(found: dict[tuple[str, float, str], Count]) -> str:
    counts = {
        script: pooled(found, lambda key, script=script: key[0] != "stranger" and key[2] == script)
        for script in SCRIPTS
    }
    return "\n" + markdown(["script", "F1 (precision, recall)"], [[name, _cell(c)] for name, c in counts.items()])


def _cell(count: Count) -> str:
    return f"{count.f1:.4f} ({count.precision:.3f}, {count.recall:.3f})"


if __name__ == "__main__":
    sys.exit(main())
