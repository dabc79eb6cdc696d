"""What the library computes, in the slowest and most obvious way: tests hold the library to it."""

from __future__ import annotations

import unicodedata
from collections import namedtuple
from functools import cache, lru_cache
from itertools import combinations, groupby

import regex
import xxhash
from datasketch import MinHash, MinHashLSH

from dupdetect.matching import boilerplate as boilerplate
from dupdetect.matching import interleaving as frames
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


@lru_cache(maxsize=1000)
def words(text, unit="word"):
    """Cut a text character by character."""
    cut, word = [], ""
    for character in unicodedata.normalize("NFKC", text).casefold():
        if unit == "word" and kind(character) == "part":
            word += character
            continue
        cut += [word] * bool(word) + [character] * (kind(character) != "between")
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
    sizes = [sum(0.5 if len(word) == 1 and len(word.encode()) > 2 else 1 for word in row) for row in rows]

    def is_main_content(line):
        beside = [range(first, first + 3) for first in range(line - 2, line + 1)]
        return any(sum(sizes[n] for n in three if 0 <= n < len(sizes)) >= lines.MAIN_CONTENT for three in beside)

    marks = [is_main_content(line) for line in range(len(rows))]
    return [mark or not any(marks) for mark, row in zip(marks, rows, strict=True) for _ in row]


#: What a document has of its own where, and whether the longest shared stretch is amid its own text.
Frame = namedtuple("Frame", "stretch between before behind bits amid")


class Layout:
    """A text as `weigh` reads it."""

    def __init__(self, text, size):
        self.order = runs(words(text), size)
        self.shingles = dict.fromkeys(self.order)  # in the order of their first occurrence
        marked = zip(self.order, runs(main_content(text), size), strict=True)
        self.of_main_content = {run for run, marks in marked if any(marks)}

    def weight(self, shingle):
        return frames.FULL if shingle in self.of_main_content else frames.SHORT

    def frame(self, shared):
        """Read what is its own: between shared text, before, behind, in bits; if it is around the longest stretch."""
        seen, parts = set(), []
        for is_shared, group in groupby(self.order, shared.__contains__):
            part = list(group)
            weights = [self.weight(run) for run in dict.fromkeys(part) if run not in seen]
            parts.append((is_shared, len(part), weights))
            seen |= set(part)
        edges = [n for n, (is_shared, length, _) in enumerate(parts) if is_shared and length >= frames.EDGE]
        stretches, owned = [[]], [0]
        between, before, behind, bits = 0, 0, 0, 0
        for n, (is_shared, length, weights) in enumerate(parts):
            if is_shared:
                stretches[-1] += weights
            elif length < frames.STRETCH:
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
        amid = 0 < owned[longest] < owned[-1] and sums[longest] >= frames.AMID * between
        return Frame(sums[longest], between, before, behind, bits, amid)

    def own(self, shared):
        """Give what is not shared, and its weights: main content, unless it first stands outside all of that."""
        places = [place for place, run in enumerate(self.order) if run in shared]
        outside = set()
        if places and places[0] > 0 and places[-1] < len(self.order) - 1:
            outside = set(self.order) - set(self.order[places[0] : places[-1]]) | set(self.order[: places[0]])
        return {run: self.weight(run) if run in outside else frames.FULL for run in self.shingles if run not in shared}


def read_pair(a, b):
    """Say whether a pair is clear, interleaved, and one inside the other."""
    shared = a.shingles.keys() & b.shingles.keys()
    smaller = min(len(a.shingles), len(b.shingles))
    if smaller - len(shared) < frames.OWN and len(shared) > frames.INSIDE * smaller:
        return True, False, True
    sides = [page.frame(shared) for page in (a, b)]
    owns = [side.between + frames.FULL * side.bits for side in sides]
    turned = max(owns) - min(owns) >= frames.TURN * max(owns)
    suit = all(side.between >= frames.FULL * frames.OWN for side in sides)
    wide = any(side.between >= frames.PART * side.stretch for side in sides)
    within = any(side.before for side in sides) and any(side.behind for side in sides)
    amid = all(side.amid for side in sides)
    edited = any(frames.FULL * side.bits > frames.BITS * side.between for side in sides) and not turned
    interleaved = suit and wide and not within and not amid and not edited
    inside = max(
        sum(page.weight(run) for run in page.shingles if run in shared) / sum(map(page.weight, page.shingles))
        for page in (a, b)
    )
    is_content = inside > frames.INSIDE or (within and not wide and inside >= frames.HALF)
    return False, interleaved, is_content and not interleaved


def weigh(texts, pairs, settings):
    """Weigh pairs of texts as `dupdetect.matching.boilerplate` says, no document in more of them than vote.

    Gives {(a, b): (shared, size of a, size of b, share of boilerplate, interleaved)}.
    """
    pages = [Layout(text, settings.shingle_size) for text in texts]
    reads = {(a, b): read_pair(pages[a], pages[b]) for a, b in pairs}
    ayes, noes = {}, {}
    for (a, b), (_, interleaved, inside) in reads.items():
        for run in pages[a].shingles.keys() & pages[b].shingles.keys():
            ayes[run] = ayes.get(run, 0) + interleaved
            noes[run] = noes.get(run, 0) + inside

    def is_template(run, interleaved=False, inside=False):
        """Say so without the vote of a pair that is judged."""
        return ayes.get(run, 0) > 0 and ayes[run] - interleaved > 2 * (noes[run] - inside)

    found = {}
    for (a, b), (clear, interleaved, inside) in reads.items():
        x, y = pages[a], pages[b]
        shared = x.shingles.keys() & y.shingles.keys()
        if clear and not any(is_template(run) for page in (x, y) for run in page.shingles):
            found[a, b] = (len(shared), len(x.shingles), len(y.shingles), 0, False)
            continue
        learned = {run for run in shared if is_template(run, interleaved, inside)}
        both = sum(boilerplate.BOILERPLATE if r in learned else max(x.weight(r), y.weight(r)) for r in shared)
        sizes = [
            both
            + sum(boilerplate.BOILERPLATE if is_template(run) else weight for run, weight in page.own(shared).items())
            for page in (x, y)
        ]
        weights = (weight / frames.FULL for weight in (both, *sizes))
        found[a, b] = (*weights, len(learned) / max(len(shared), 1), interleaved)
    return found


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
