"""What the library computes, in the slowest and most obvious way: tests hold the library to it."""

from __future__ import annotations

import unicodedata
from collections import Counter, namedtuple
from functools import cache, lru_cache
from itertools import accumulate, chain, combinations, groupby, pairwise, product

import regex
import xxhash
from datasketch import MinHash, MinHashLSH

from dupdetect.matching import (
    alignment,
    boilerplate,
    boilerplate_votes,
    interleaving,
    overlaps,
    own_lines,
    own_texts,
    patterns,
    removal,
)
from dupdetect.matching import boilerplate_weights as weights
from dupdetect.text import main_content as lines

WITHOUT_SPACES = [
    "Han",
    "Hiragana",
    "Katakana",
    "Bopomofo",
    "Yi",
    "Nushu",
    "Tangut",
    "Khitan_Small_Script",
    "Thai",
    "Lao",
    "Khmer",
    "Myanmar",
    "Tai_Le",
    "New_Tai_Lue",
    "Tai_Tham",
    "Tai_Viet",
    "Ahom",
]


@cache
def kind(character):
    """Say whether a character is a word of its own, part of one, or neither."""
    if not regex.match(r"\w", character):
        return "between"
    alone = any(regex.match(rf"\p{{Script={script}}}", character) for script in WITHOUT_SPACES)
    return "alone" if alone else "part"


def is_symbol(character):
    """Say whether it is a symbol, by the Unicode version of `regex`, as words are: Python's knows fewer."""
    return regex.match(r"\p{S}", character) is not None


@lru_cache(maxsize=1000)
def words(text, unit="word"):
    """Cut a text character by character."""
    cut, word = [], ""
    for character in unicodedata.normalize("NFKC", text).casefold():
        if unit == "word" and kind(character) == "part":
            word += character
            continue
        symbol = unit == "character" and is_symbol(character)
        cut += [word] * bool(word) + [character] * (symbol or kind(character) != "between")
        word = ""
    return cut + [word] * bool(word)


#: Unicode's Default_Ignorable_Code_Point, but for soft hyphens and Hangul's fillers.
SHAPELESS = frozenset(
    (
        *(0x34F, 0x61C, 0x17B4, 0x17B5, 0xFEFF),
        *(*range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)),
        *(*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)),
        *range(0xE0000, 0xE1000),
    )
)


def is_unseen(character):
    """Say whether a character is taken away, by its number or its name."""
    script = unicodedata.name(character, "-").split()[0]
    point = script in ("ARABIC", "HEBREW", "SYRIAC", "SAMARITAN") and unicodedata.category(character) in ("Mn", "Lm")
    return ord(character) in SHAPELESS or (point and character not in "\u0653\u0654\u0655") or character == "\U000102e0"


def clean(text):
    """Clean a text character by character."""
    kept = ""
    for character in text:
        parts = unicodedata.normalize("NFKC", character)
        if any(map(is_unseen, parts)):
            kept += "".join(part for part in parts if not is_unseen(part)).strip(" ")
        elif not is_unseen(character):
            kept += character
    gone = {place for at, character in enumerate(kept) if character == "\n" for place in broken_at(kept, at)}
    return "".join(character for at, character in enumerate(kept) if at not in gone and character != "\u00ad")


def broken_at(text, newline):
    """Give the places between the halves of the word that is broken at a line's end; none if no word is."""

    def back(place, characters):
        while place and text[place - 1] in characters:
            place -= 1
        return place

    first = back(newline, "\u00ad")
    first = back(first - (text[first - 1 : first] == "\r"), " \t\u00ad")
    if text[:first].endswith(tuple("-¬֊‐⸗")):
        first = back(first - 1, "\u00ad")
    elif text[first] != "\u00ad":
        return range(0)
    last = newline + 1
    while text[last : last + 1] in tuple(" \t\u00ad"):
        last += 1
    letter = first
    while letter and unicodedata.category(text[letter - 1])[0] == "M":
        letter -= 1
    small = [unicodedata.category(side or " ") == "Ll" for side in (text[:letter][-1:], text[last : last + 1])]
    return range(first, last) if all(small) else range(0)


def runs(items, size):
    """Give every run of so many items; all items where they are fewer, nothing where there are none."""
    size = min(size, len(items))
    return [tuple(items[start : start + size]) for start in range(len(items) - size + 1)] if size else []


@lru_cache(maxsize=1000)
def shingles(text, size, unit="word"):
    """Give the set of a text's shingles, as tuples of words."""
    return frozenset(runs(words(text, unit), size))


@lru_cache(maxsize=1 << 16)
def shingle_hash(run):
    """Hash one shingle with Python's integers."""
    total = sum(
        xxhash.xxh64_intdigest(word.encode()) * 0x9FB21C651E98DF25 ** (len(run) - 1 - place)
        for place, word in enumerate(run)
    )
    total %= 2**64
    total = (total ^ (total >> 33)) * 0xC2B2AE3D27D4EB4F % 2**64
    total = (total ^ (total >> 29)) * 0x165667B19E3779F9 % 2**64
    return total ^ (total >> 32)


def fingerprints(hashes, window):
    """Take the least of every window."""
    return sorted({min(run) for run in runs(list(hashes), window)})


def minhash(hashes, num_perm, seed):
    """Sign with datasketch."""
    signed = MinHash(num_perm, seed, scheme="affine32", hashfunc=int)
    signed.update_batch([int(value) >> 32 for value in hashes])
    return signed


def share(part, whole):
    """Give the share of one set that is in another; 0 for an empty set."""
    return len(part & whole) / max(len(part), 1)


def jaccard(a, b):
    """Give the Jaccard similarity of two sets; 0 for two empty ones."""
    return len(a & b) / max(len(a | b), 1)


def relation(a, b, settings):
    """Judge two texts: the relation of a to b, or None."""
    one, other = words(a, settings.unit), words(b, settings.unit)
    if not one or not other:
        return None
    if one == other:
        return "identical"
    x, y = (shingles(text, settings.shingle_size, settings.unit) for text in (a, b))
    if jaccard(x, y) >= settings.threshold:
        return "near_duplicate"
    smaller = min(len(x), len(y))
    if smaller < settings.min_shingles or len(x & y) / smaller < settings.containment:
        return None
    return "contains" if len(x) > len(y) else "contained"


def main_content(text):
    """Say of each word of a text whether it is of main content."""
    rows = [row for row in map(words, text.split("\n")) if row]
    sizes = list(map(size_of, rows))

    def is_main_content(line):
        beside = [range(first, first + 3) for first in range(line - 2, line + 1)]
        return any(sum(sizes[n] for n in three if 0 <= n < len(sizes)) >= lines.MAIN_CONTENT for three in beside)

    marks = [is_main_content(line) for line in range(len(rows))]
    return [mark or not any(marks) for mark, row in zip(marks, rows, strict=True) for _ in row]


BLANKS = frozenset("\0 \t\n\r\x0b\x0c")


def size_of(row):
    """Give the size of a line in words; a character of three bytes that is a word on its own is half a word."""
    return sum(0.5 if len(word) == 1 and len(word.encode()) > 2 else 1 for word in row)


def is_item(row):
    """Say whether a line has two words at most; six letters of Thai and the like are one, or three of other scripts."""
    letters = [word for word in row if len(word) == 1 and len(word.encode()) > 2]
    few = [word for word in letters if word < "\u2000"]
    return len(row) - len(letters) + len(few) / 6 + (len(letters) - len(few)) / 3 <= 2 + 1e-9


def line_marks(text):
    """Say of each word of a text: whether it is of main content, begins a line, and what that is.

    Of the first word, whether the line has many symbols; of others, whether it has two words at most.
    """
    marks = []
    for line in text.split("\n"):
        row = words(line)
        folded = unicodedata.normalize("NFKC", line).casefold()
        symbols = sum(kind(character) == "between" and character not in BLANKS for character in folded)
        many, item = symbols >= size_of(row), is_item(row)
        marks += [(place == 0, item if place else many) for place in range(len(row))]
    return [(content, *others) for content, others in zip(main_content(text), marks, strict=True)]


#: How one document of a pair shares what it shares; see `Document.side`.
Side = namedtuple("Side", "stretch between before behind bits amid")

#: What one document of a pair has of its own, in words; see `Document.own_lines` and `Document.weigh`.
OwnLines = namedtuple("OwnLines", "furniture before after stretch")
Weighed = namedtuple("Weighed", "content own new lost prose lines run page_run paragraphs boilerplate")


@cache
def length_class(length):
    """Give the class of the length of a line: how many of the bounds are below it."""
    bounds = [1]
    while len(bounds) < own_lines.CLASSES - 1:
        bounds.append(max(bounds[-1] + 1, bounds[-1] * 7 // 5))
    return sum(bound < min(length, own_lines.SENTENCE) for bound in bounds)


class Document:
    """A text as pairs of it are read and weighed: its shingles in order, and what is known of each of its words."""

    def __init__(self, text, size):
        self.size = size
        self.order = runs(words(text), size)
        marks = line_marks(text)
        self.count = len(self.order) + size - 1 if self.order else 0
        seen = set()
        contents = [any(content for content, _, _ in run) for run in runs(marks, size)]
        self.of_main_content = {run for run, content in zip(self.order, contents, strict=True) if content}
        # The first of equal shingles is of main content if any of them is.
        self.contents = []
        for run, content in zip(self.order, contents, strict=True):
            self.contents.append(content or (run in self.of_main_content and run not in seen))
            seen.add(run)
        self.shingles = dict.fromkeys(self.order)  # in the order of their first occurrence
        # Words by lines; what begins no shingle any more is of the last line.
        self.lines = []
        for word in range(self.count):
            if word == 0 or (word < len(self.order) and marks[word][1]):
                self.lines.append([])
            self.lines[-1].append(word)
        # Of the first word of a line it is marked whether it has many symbols, of others whether it is a menu's.
        of_line = [mark for _, _, mark in marks[: len(self.order)]]
        self.symbols = {word: of_line[line[0]] for line in self.lines for word in line}
        self.items = {line[0] for line in self.lines if len(line) == 1 or any(of_line[line[1] : line[1] + 1])}

    def weight(self, shingle):
        return interleaving.FULL if shingle in self.of_main_content else interleaving.SHORT

    def covered(self, some):
        """Give the words that are in any occurrence of some shingles."""
        return {place + step for place, run in enumerate(self.order) if run in some for step in range(self.size)}

    def side(self, shared):
        """Read what is its own: between shared text, before, behind, in bits; if it is around the longest stretch."""
        seen, parts = set(), []
        for is_shared, group in groupby(self.order, shared.__contains__):
            part = list(group)
            weights = [self.weight(run) for run in dict.fromkeys(part) if run not in seen]
            parts.append((is_shared, len(part), weights))
            seen |= set(part)
        edges = [n for n, (is_shared, length, _) in enumerate(parts) if is_shared and length >= interleaving.EDGE]
        stretches, owned = [[]], [0]
        between, before, behind, bits = 0, 0, 0, 0
        for n, (is_shared, length, weights) in enumerate(parts):
            if is_shared:
                stretches[-1] += weights
            elif length < interleaving.STRETCH:
                bits += length
            else:
                stretches.append([])
                owned.append(owned[-1] + length)
                if edges and n < edges[0]:
                    before += length
                elif edges and n < edges[-1]:
                    between += sum(weights)
                else:
                    behind += length
        sums = list(map(sum, stretches))
        longest = sums.index(max(sums))
        amid = 0 < owned[longest] < owned[-1] and sums[longest] >= interleaving.AMID * between
        return Side(sums[longest], between, before, behind, bits, amid)

    def own_lines(self, shared):
        """Read what is its own line by line, and before and after the longest stretch of shared words."""
        covered = self.covered(shared)
        is_own = [word not in covered for word in range(self.count)]
        mine = [2 * sum(is_own[word] for word in line) > len(line) for line in self.lines]
        own = [line for line, is_mine in zip(self.lines, mine, strict=True) if is_mine]
        others = [line for line, is_mine in zip(self.lines, mine, strict=True) if not is_mine]
        lengths = Counter(length_class(len(line)) for line in own)
        beside = Counter(length_class(len(line)) for line in others for word in line if word in covered)
        longer = sum(beside[one] * lengths[two] for one in beside for two in lengths if one > two)
        alike = sum(beside[one] * lengths[one] for one in beside)
        likely = (longer + alike / 2) / max(1, beside.total() * len(own))
        in_symbols = sum(len(line) for line in own if self.symbols[line[0]])
        items = [line for line in own if line[0] in self.items]
        menus = "".join(
            "m" if is_mine and line[0] in self.items else " " for line, is_mine in zip(self.lines, mine, strict=True)
        )
        places = len(regex.findall("(?<=s)o+(?=s)", "".join("o" if is_mine else "s" for is_mine in mine)))
        # The stretches: lists of the places of shared words; fewer than STRETCH own words may stand between two.
        stretches = []
        for word in sorted(covered):
            if not stretches or word - stretches[-1][-1] > own_lines.STRETCH:
                stretches.append([])
            stretches[-1].append(word)
        longest = max(stretches, key=len, default=[0])
        before, after = sum(is_own[: longest[0]]), sum(is_own[longest[-1] :])
        furniture = (
            len(own) >= own_lines.FEW
            and len(items) >= own_lines.ITEMS * len(own)
            and "m" * own_lines.ENTRIES in menus
            and self.is_on_both_sides(is_own, mine)
            and places < own_lines.PLACES
            and in_symbols <= own_lines.SYMBOL_WORDS * sum(map(len, own))
            and likely >= own_lines.SHORTER
        )
        return OwnLines(furniture, before, after, len(longest) if stretches else 0)

    def is_on_both_sides(self, is_own, mine):
        """Say whether own lines stand before and behind the article: shared words with no own line among them."""
        runs = [
            (is_mine, list(lines)) for is_mine, lines in groupby(zip(mine, self.lines, strict=True), lambda one: one[0])
        ]
        owned = [sum(is_own[word] for _, line in lines for word in line) for _, lines in runs]
        words = [sum(len(line) for _, line in lines) for _, lines in runs]
        long = [
            place for place, run in enumerate(runs) if not run[0] and words[place] - owned[place] >= own_lines.SENTENCE
        ]
        if not long:
            return False
        for places in (range(long[0]), range(long[-1] + 1, len(runs))):
            around = [place for place in places if runs[place][0]]
            hidden = places.stop == len(runs) and 0 < sum(owned[place] for place in around) < 2 * self.size
            if sum(len(runs[place][1]) for place in around) + hidden < own_lines.ENDS:
                return False
            if sum(owned[place] for place in around) < own_lines.AROUND:
                return False
        return True

    def line_length(self):
        """Give the length of lines such that these and longer ones have three quarters of the words."""
        first, most = len(self.order), own_texts.LONG_LINE
        lengths = sorted(sum(word < first for word in line) for line in self.lines)
        below = [length for length, sum_ in zip(lengths, accumulate(lengths), strict=True) if 4 * sum_ >= first]
        return min(max(below[0] if below else 0, own_texts.LEAST_LINE), most)

    def texts(self, mine, fresh, length):
        """Give how many new words each text of a page has, beside one of lines of such a length."""
        least, parts, shorter = min(length, own_lines.SENTENCE), [[]], 0
        for line in self.lines:
            is_own, news = 2 * len(mine.intersection(line)) > len(line), len(fresh.intersection(line))
            if is_own and 2 * news > len(line) >= least and not self.symbols[line[0]]:
                parts[-1].append((len(line), news))
                shorter = 0
            elif is_own and len(line) < least and shorter == 0:
                shorter = 1
            else:
                parts.append([])
                shorter = 0
        sums = [(sum(news for words, news in part if words >= length), sum(news for _, news in part)) for part in parts]
        least_alike = max(own_texts.ARTICLE, own_texts.LINES * length)
        least_of_all = max(own_texts.MANY, own_texts.LINES * length)
        return [news for alike, news in sums if alike > least_alike or news > least_of_all]

    def is_cut(self, kept, other):
        """Say whether it ends in a word alone, behind what another document goes on behind."""
        last = len(self.order) - 1
        if last < 1 or last in kept or last - 1 not in kept:
            return False
        return len(other.order) - other.order.index(self.order[last - 1]) > own_lines.SENTENCE

    def weigh(self, shared, kept, learned, known, strangers, other):
        """Weigh its words: `learned` is boilerplate for this pair, `known` is without the question who asks."""
        words_of = {place: range(place, place + self.size) for place in range(len(self.order))}
        covered = {word for place in kept for word in words_of[place]}
        content = {word for place in kept if self.order[place] not in learned for word in words_of[place]}
        elsewhere = {place for place, run in enumerate(self.order) if run in shared} - kept
        told = {word for place, run in enumerate(self.order) if run in known and place not in elsewhere
                for word in words_of[place]}  # fmt: skip
        length, is_cut = other.line_length(), self.is_cut(kept, other)
        own = [word for word in range(self.count) if word not in covered]
        # In a short text, what stands between shared words is new, whatever is known.
        short = self.count <= removal.SHORT and kept
        between = range(min(kept), max(kept)) if short else ()
        # The last word of a text that is cut short is a part of one.
        new = [
            word for word in own if (word not in told or word in between) and not (is_cut and word == self.count - 1)
        ]

        def full(word):
            place = min(word, len(self.order) - 1)
            return not strangers or self.contents[place] or self.symbols[word]

        def prose(word):
            place = min(word, len(self.order) - 1)
            return self.contents[place] and not self.symbols[word]

        mine, fresh = set(own), set(new)
        edits = [line for line in self.lines if 2 * len(mine.intersection(line)) <= len(line)]
        in_edits = len(fresh.intersection(chain.from_iterable(edits)))
        texts = self.texts(mine, fresh, length)
        rows = [
            sum(word in fresh for word in part)
            for line in edits
            for is_own, part in groupby(line, mine.__contains__)
            if is_own
        ]
        in_lines = len(mine.difference(chain.from_iterable(edits)))
        paragraphs = [line for line in self.lines if line not in edits and len(line) >= max(length, own_lines.SENTENCE)]
        # Words that are lost, up to the next shared one; boilerplate between them neither counts nor ends the row.
        parts = [
            sum(word in fresh for word in part)
            for is_own, part in groupby(range(self.count), mine.__contains__)
            if is_own
        ]
        weights = [interleaving.FULL if full(word) else interleaving.SHORT for word in covered & content]
        return Weighed(
            sum(weights) / interleaving.FULL, len(own), len(new), in_edits + sum(texts), sum(map(prose, new)),
            in_lines, max(parts, default=0), max(texts + rows, default=0),
            len(fresh.intersection(chain.from_iterable(paragraphs))), len(shared & learned) / max(len(shared), 1),
        )  # fmt: skip


#: How a pair shares what it shares, and marks of what either document has of its own.
Pattern = namedtuple("Pattern", "name furniture amid whole", defaults=((False, False), (False, False), False))


def read_pair(a, b, threshold):
    """Read a pair of documents."""
    shared = a.shingles.keys() & b.shingles.keys()
    one, two = (len(page.shingles) - len(shared) for page in (a, b))
    clear = min(one, two) < interleaving.OWN and len(shared) > interleaving.INSIDE * (len(shared) + min(one, two))
    if clear and max(one, two) < patterns.TRIFLE and jaccard(a.shingles.keys(), b.shingles.keys()) >= threshold:
        return Pattern("clear")
    lines = [page.own_lines(shared) for page in (a, b)]
    marks = (
        tuple(page.furniture for page in lines),
        tuple(min(page.before, page.after) >= own_lines.AROUND for page in lines),
        any(stands_whole(page, other) for page, other in (lines, lines[::-1])),
    )
    return Pattern("clear" if clear else name_of(a, b, shared, lines), *marks)


def stands_whole(page, other):
    """Say whether all of a document is in one piece amid much text of another."""
    all_of_it = other.before + other.stretch + other.after
    in_one_piece = min(page.stretch, other.stretch) >= own_lines.PIECE * all_of_it
    amid = min(page.before, page.after) >= own_lines.AROUND
    return in_one_piece and amid and page.before + page.after >= own_lines.PART * page.stretch


def name_of(a, b, shared, lines):
    """Name the pattern of a pair that is not clear."""
    sides = [page.side(shared) for page in (a, b)]
    owns = [side.between + interleaving.FULL * side.bits for side in sides]
    turned = max(owns) - min(owns) >= interleaving.TURN * max(owns)
    much = all(side.between >= interleaving.FULL * interleaving.OWN for side in sides)
    wide = any(side.between >= interleaving.PART * side.stretch for side in sides)
    within = any(side.before for side in sides) and any(side.behind for side in sides)
    amid = all(side.amid for side in sides)
    edited = any(interleaving.FULL * side.bits > interleaving.BITS * side.between for side in sides) and not turned
    if much and wide and not within and not amid and not edited:
        return "interleaved"
    if is_at_one_end(*lines):
        return "one end"
    inside = max(
        sum(page.weight(run) for run in page.shingles if run in shared) / sum(map(page.weight, page.shingles))
        for page in (a, b)
    )
    if inside > interleaving.INSIDE or (within and not wide and inside >= interleaving.HALF):
        return "within"
    return "other"


def is_at_one_end(one, two):
    """Say whether both have much text of their own behind what they share, or both before it."""
    much = max(own_lines.OWN, own_lines.PART * max(one.stretch, two.stretch))
    behind = all(page.after >= much for page in (one, two)) and all(
        page.before < own_lines.STRETCH for page in (one, two)
    )
    ahead = all(page.before >= much for page in (one, two)) and all(
        page.after < own_lines.STRETCH for page in (one, two)
    )
    return behind or ahead


def in_place(x, y, shared):
    """Give the places at which each of two documents has what it shares as the other has it, in order, and their share.

    As `dupdetect.matching.alignment` says it, without a limit to how much is compared.
    """
    places = [[place for place, run in enumerate(page.order) if run in shared] for page in (x, y)]
    sequences = [[page.order[place] for place in some] for page, some in zip((x, y), places, strict=True)]
    if x.size == 1 or sequences[0] == sequences[1]:
        return [set(some) for some in places], 1.0
    steps = max(run_steps(page) for page in (x, y))
    found = [aligned(*pair, shared, steps) for pair in ((x, y), (y, x))]
    return found, min(len(mine) / max(1, len(some)) for mine, some in zip(found, places, strict=True))


def long_runs(page, steps):
    """Give the runs of so many shingles, end to end."""
    count = len(page.order) - (steps - 1) * page.size
    return [tuple(page.order[place : place + (steps - 1) * page.size + 1 : page.size]) for place in range(count)]


def run_steps(page):
    def repeats(steps):
        found = long_runs(page, steps)
        return len(found) - len(set(found))

    steps = alignment.LEAST
    while (
        steps < alignment.MOST
        and repeats(steps) > alignment.REPEATED * len(page.order)
        and len(page.order) > (2 * steps - 1) * page.size
        and repeats(2 * steps) <= alignment.PASSAGES * repeats(steps)
    ):
        steps *= 2
    return steps


def aligned(x, y, shared, steps):
    """Give the places at which x has what it shares with y as y has it."""
    reach, runs_of_x, runs_of_y = (steps - 1) * x.size + 1, long_runs(x, steps), long_runs(y, steps)
    once = Counter(runs_of_x), Counter(runs_of_y)
    longest, of_longest = (long_runs(page, alignment.MOST) for page in (x, y))
    kept, end, end_of_other, before = set(), 0, 0, None
    for place, run in enumerate(runs_of_x):
        if before is not None and before + 1 < len(runs_of_y) and runs_of_y[before + 1] == run:
            found = before + 1
        else:
            found = runs_of_y.index(run) if once[0][run] == once[1][run] == 1 else None
            if found is None and longest[place : place + 1] and longest[place] in of_longest:
                found = of_longest.index(longest[place])
        before = found
        if found is None:
            continue
        if place > end:
            kept |= in_order(x, range(end, place), y.order[end_of_other:found], shared)
        kept |= {other for other in range(place, place + reach) if x.order[other] in shared}
        end, end_of_other = place + reach, found + reach
    if end == 0 and (steps > alignment.LEAST or len(x.order) * len(y.order) > alignment.WITHOUT):
        return set()
    return kept | in_order(x, range(end, len(x.order)), y.order[end_of_other:], shared)


def in_order(x, places, others, shared):
    """Give the places of the longest common subsequence; of several, that which is matched the earliest."""
    some = [place for place in places if x.order[place] in shared]
    left = [[0] * (len(others) + 1) for _ in range(len(some) + 1)]
    for one, two in product(reversed(range(len(some))), reversed(range(len(others)))):
        taken = left[one + 1][two + 1] + 1 if x.order[some[one]] == others[two] else 0
        left[one][two] = max(taken, left[one + 1][two], left[one][two + 1])
    kept, two = set(), 0
    for one, place in enumerate(some):
        while two < len(others) and left[one][two] == left[one][two + 1]:
            two += 1
        if two < len(others) and x.order[place] == others[two] and left[one][two] == left[one + 1][two + 1] + 1:
            kept.add(place)
            two += 1
    return kept


def joined(a, b, size):
    """Count words that are one in a and two in b, and the other way round, between words that both share.

    On either side stands a shingle where it first occurs in both, and between the two nothing that is shared; between
    the two words a line ends. Gives those of a and those of b.
    """
    firsts = [{run: place for place, run in reversed(list(enumerate(page.order)))} for page in (a, b)]
    common = [[run in firsts[1 - n] for run in page.order] for n, page in enumerate((a, b))]
    links = [(firsts[0][run], firsts[1][run]) for run in firsts[0].keys() & firsts[1].keys()]
    counts = [0, 0]
    for before, after in (
        product(links, links) if len(links) < 60 else pairwise(sorted(links, key=lambda link: link[1]))
    ):
        gaps = [range(start + 1, end) for start, end in zip(before, after, strict=True)]
        if any(common[n][place] for n in range(2) for place in gaps[n]):
            continue
        sizes = tuple(map(len, gaps))
        if sorted(sizes) != [size, size + 1]:
            continue
        pages = [(page, start + size) for page, start in zip((a, b), before, strict=True)]
        (long, first), (short, one) = pages if sizes[0] > sizes[1] else pages[::-1]
        ended = [line for line, following in pairwise(long.lines) if following[0] == first + 1]
        begun = {line[0] for line in short.lines}
        at_end = any(len(line) >= own_texts.LEAST_LINE for line in ended) and not begun & {one, one + 1}
        for n in range(2):
            counts[n] += (sizes[n] - size + 1) * at_end
    return counts


#: What the two documents of a pair have, as `overlaps.Weights`, and which pattern it has.
Pair = namedtuple("Pair", "pattern content own new lost prose run boilerplate in_place strangers")


def weigh(texts, pairs, settings):
    """Weigh pairs of texts as `dupdetect.matching.boilerplate` says, no document in more of them than vote.

    Gives {(a, b): Pair}, of a and of b each.
    """
    pages = [Document(text, settings.shingle_size) for text in texts]
    reads = {(a, b): read_pair(pages[a], pages[b], settings.threshold) for a, b in pairs}
    forms = filled_forms(pages, reads, settings)
    ayes, noes = {}, {}
    for (a, b), read in reads.items():
        for run in pages[a].shingles.keys() & pages[b].shingles.keys():
            ayes[run] = ayes.get(run, 0) + (read.name in ("interleaved", "one end") or (a, b) in forms)
            noes[run] = noes.get(run, 0) + (read.name in ("clear", "within")) * (
                1 + boilerplate_votes.VOTES * read.whole
            )

    def is_boilerplate(run, aye=False, no=False):
        """Say so without the vote of a pair that is judged."""
        return ayes.get(run, 0) > 0 and ayes[run] - aye > boilerplate.AGAINST * (noes[run] - no)

    def is_plainly(run):
        """Say so of what is a document's own: two votes more are needed than none."""
        return ayes.get(run, 0) - boilerplate.AGAINST * noes.get(run, 0) > 1

    found = {}
    for (a, b), read in reads.items():
        x, y = pages[a], pages[b]
        own_vote = read.name in ("interleaved", "one end") or (a, b) in forms, read.name in ("clear", "within")
        learned = {run for run in x.shingles.keys() & y.shingles.keys() if is_boilerplate(run, *own_vote)}
        found[a, b] = weigh_pair(x, y, read, learned, is_plainly)
    return found


def filled_forms(pages, reads, settings):
    """Give the pairs of one wording that are filled forms."""
    sets = [set(page.shingles) for page in pages]
    other = [pair for pair, read in reads.items() if read.name == "other"]
    of_one = [(a, b) for a, b in other if one_wording(sets[a], sets[b], settings.threshold)]
    return filled_among(pages, of_one, settings.max_lost)


def filled_among(pages, pairs, max_lost):
    """Give the pairs that differ in what most documents of their wording lack, as `matching.filled_forms` says."""
    sets, others = [set(page.shingles) for page in pages], {}
    for a, b in [*pairs, *((b, a) for a, b in pairs)]:
        others.setdefault(a, []).append(b)

    def lacks(c, a, b):
        """Say whether a third document lacks what one of the two has, and the other has not, which is little."""
        own = sets[a] - sets[b]
        return (
            len(own - sets[c]) >= 0.75 * len(own)
            and pages[a].count - len(pages[a].covered(set(pages[a].shingles) - own)) <= 3 * max_lost * pages[a].count
        )

    forms = set()
    for a, b in pairs:
        thirds = set(others[a]) & set(others[b])
        if 2 * sum(lacks(c, a, b) and lacks(c, b, a) for c in thirds) > len(thirds):
            forms.add((a, b))
    return forms


def one_wording(a, b, threshold):
    """Say whether sets of about one size share half of either, but are no near duplicates."""
    fewer, more = sorted(len(side - (a & b)) for side in (a, b))
    return 2 * len(a & b) >= max(len(a), len(b)) and more <= 2 * fewer and jaccard(a, b) < threshold


def weigh_pair(x, y, read, learned, is_boilerplate):
    """Weigh two documents, given what of that they share is boilerplate, and whether any shingle is."""
    shared = x.shingles.keys() & y.shingles.keys()
    strangers = read.name in ("interleaved", "one end")
    kept, of_shared = in_place(x, y, shared)
    sides = [
        page.weigh(shared, mine, learned, set(filter(is_boilerplate, page.shingles)), strangers, other)
        for page, other, mine in ((x, y, kept[0]), (y, x, kept[1]))
    ]
    sides = [
        side._replace(**{name: max(0, getattr(side, name) - gap) for name in ("own", "new", "lost")})
        for side, gap in zip(sides, joined(x, y, x.size), strict=True)
    ]
    lost, longest = [], []
    for number, (mine, other) in enumerate([sides, sides[::-1]]):
        carries = other.new <= weights.CARRIED * (other.new + other.content) and 2 * other.own <= mine.own
        carries &= other.content >= own_lines.SENTENCE
        carries &= other.lines <= max(removal.FEW_WORDS, weights.CARRIED_LINES * other.content)
        carries &= mine.prose <= max(weights.BESIDE, weights.TIMES * other.content)
        carries &= mine.new <= max(weights.AROUND, weights.TIMES_AROUND * other.content)
        line = (y, x)[number].line_length()
        carries &= mine.paragraphs <= max(weights.PARAGRAPHS, weights.LINES_OF_ARTICLE * line)
        is_page = read.furniture[number] and carries
        lost.append(mine.lost if is_page else mine.new)
        longest.append(mine.page_run if is_page else mine.run)
    content, own, new, prose = (
        tuple(getattr(side, name) for side in sides) for name in (*Weighed._fields[:3], "prose")
    )
    return Pair(read, content, own, new, tuple(lost), prose, tuple(longest), sides[0].boilerplate, of_shared, strangers)


#: What is decided of a pair: its relation, what was compared, who may be removed, and who should be; and if it is near.
Judged = namedtuple("Judged", "relation score lost removable yields near")


def judge(a, b, pair, settings):  # noqa: C901 - the rules in one place
    """Judge a pair of weighed sets of shingles as `dupdetect.matching.overlaps` says."""
    plain, smaller = jaccard(a, b), min(len(a), len(b))
    content = min(pair.content)
    of_content = content / max(content + sum(pair.lost), 1e-9)
    suspect = pair.boilerplate > overlaps.SUSPECT
    score, inside = plain, 0.0
    if pair.strangers and min(pair.prose) >= overlaps.ARTICLE:
        score = min(plain, of_content)
    elif not suspect and all(pair.own[n] - pair.new[n] >= overlaps.EXPLAINED * pair.own[n] for n in range(2)):
        score = max(plain, of_content)
    lost = [pair.lost[n] / max(pair.content[n] + pair.lost[n], 1e-9) for n in range(2)]
    counts = [pair.content[n] + pair.lost[n] for n in range(2)]
    few = [pair.lost[n] <= settings.max_lost * max(min(counts) - removal.SHORT, 0) + 1e-9 for n in range(2)]
    edits = max(lost) <= settings.max_lost + 1e-9 and min(pair.run) < overlaps.PASSAGE
    larger = 2 * min(pair.own) <= max(pair.own)
    if not pair.strangers and not suspect and (edits or larger):
        for one, two in ((0, 1), (1, 0)):
            if pair.own[one] <= pair.own[two]:
                inside = max(inside, pair.content[one] / max(pair.content[one] + pair.new[one], 1e-9))
    near, rounded = plain >= settings.threshold, 1e-9
    enough = content >= settings.containment * settings.min_shingles - rounded
    relation = None
    alike = score >= settings.threshold
    if near:
        relation, score = "near_duplicate", max(score, plain)
    elif enough and smaller >= settings.min_shingles and inside >= settings.containment - rounded:
        relation = "contains" if pair.own[0] > pair.own[1] else "contained"
    elif enough and alike:
        relation = "syndicated"
    if relation in (None, "contains", "contained"):
        score = inside
    near &= alike
    alike = 1 - min(settings.threshold, settings.containment) + rounded
    both = pair.in_place * len(a & b)
    near &= both / max(len(a) + len(b) - both, 1) >= settings.threshold - removal.LESS_ALIKE
    pages = [2 * pair.lost[n] < pair.new[n] for n in range(2)]
    sizes = (len(a), len(b))
    removable = [
        (
            (
                near
                and sizes[1 - n] >= removal.AS_LARGE * sizes[n] - rounded
                and lost[n] <= alike
                and pair.run[n] < max(removal.LONG_PASSAGE, settings.max_lost * counts[n])
            )
            or (few[n] and pair.run[n] < overlaps.PASSAGE)
            or (pages[n] and pair.lost[n] <= removal.FEW_WORDS)
        )
        and (near or pages[n] or pair.content[n] >= pair.own[1 - n] or not pair.pattern.amid[1 - n] or lost[n] == 0)
        for n in range(2)
    ]
    yields = []
    for n, other in ((0, 1), (1, 0)):
        more = min(pair.lost[other], pair.prose[other]) - 2 * pair.prose[n]
        if pages[other]:
            says_more = more >= max(removal.MORE, removal.MORE_PAGE * pair.content[other])
        else:
            much = pair.lost[other] - 2 * pair.lost[n] >= removal.MORE_SHARE * pair.content[other]
            least = min(max(removal.MORE, removal.MORE_SHARE * pair.content[other]), overlaps.PASSAGE)
            says_more = more >= least or (much and pair.run[other] >= overlaps.PASSAGE)
        yields.append(removable[n] and says_more)
    return Judged(relation, score, tuple(lost), tuple(removable), tuple(yields), near)


def lsh_pairs(signatures, bands, rows, seed=1):
    """Ask datasketch which signatures share a band."""
    index = MinHashLSH(num_perm=signatures.shape[1], params=(bands, rows))
    signed = [MinHash(hashvalues=row, seed=seed, scheme="affine32", hashfunc=int) for row in signatures]
    for number, one in enumerate(signed):
        index.insert(number, one)
    found = {tuple(sorted((a, b))) for a, one in enumerate(signed) for b in index.query(one) if a != b}
    return sorted(found)


def components(nodes, edges):
    """Give the connected components of a graph, as a set of frozensets."""
    groups = {node: {node} for node in nodes}
    for a, b in edges:
        if groups[a] is not groups[b]:
            groups[a] |= groups[b]
            for node in groups[b]:
                groups[node] = groups[a]
    return {frozenset(group) for group in groups.values()}


def all_pairs(texts, settings):
    """Compare all texts with all: {(a, b): relation} of those that are copies, for {id: text}."""
    pairs = ((a, b, relation(texts[a], texts[b], settings)) for a, b in combinations(texts, 2))
    return {(a, b): found for a, b, found in pairs if found}
