"""Collections that are no web of sites: code, mail, versions, forms, and pages of sites of which few are there.

Each world is a function ``(World) -> None`` that adds one family of documents, in the language of its writer: a project
and its modules, a company and its mail, a package and its changelogs. Documents of a family share boilerplate; those of
one thing are its versions. What a document says is kept by another if that has all parts of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from webs import Maker, Scenario, Site, Story, filled
from writing import LANGUAGES, Collection, Writer


@dataclass
class World:
    """Who writes the next family, and what is made so far."""

    writer: Writer
    made: Collection = field(default_factory=Collection)
    things: int = 0

    @property
    def random(self) -> np.random.Generator:
        return self.writer.random

    def draw(self, low: int, high: int) -> int:
        """A number, each size of it as likely as any other."""
        return int(np.exp(self.random.uniform(np.log(low), np.log(high + 1))))

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def new(self) -> int:
        """Number a thing, or a part of one."""
        self.things += 1
        return self.things

    def add(self, lines: Sequence[str], thing: int, parts: dict[int, int] | None = None) -> None:
        self.made.add("\n".join(lines), thing, parts)

    def date(self) -> str:
        return f"{self.random.integers(1, 29)}.{self.random.integers(1, 13)}.20{self.random.integers(10, 25)}"


# -------------------------------------------------------------------------------------------------- programs


def program(world: World, statements: int) -> list[str]:
    """Functions of a few lines each; identifiers are English, comments and docstrings are in the writer's language."""
    lines: list[str] = []
    while statements > 0:
        a, b = identifiers(world, 2)
        lines.append(f"def {'_'.join(identifiers(world, 2))}({a}, {b}={world.random.integers(100)}):")
        lines += [f'    """{world.writer.line(4, 12)}."""'] if world.chance(0.4) else []
        for _ in range(min(statements, world.draw(2, 9))):
            lines += ["    " + line for line in statement(world)]
            statements -= 1
        lines += [f"    return {b}.{identifiers(world, 1)[0]}", ""]
    return lines


def statement(world: World) -> list[str]:
    """A statement of a line or two."""
    a, b, c, d = identifiers(world, 4)
    number = world.random.integers(1000)
    forms = [
        [f"{a} = {b}.{c}({d}, {number})"],
        [f"for {a} in {b}.{c}:", f"    {d}[{a}] += {number}"],
        [f"if {a} > {number}:", f"    {b} = {c} - {d}"],
        [f"# {world.writer.line(3, 9)}", f"{a}[{b}] = {c}"],
        [f'{a} = {b}["{c}"] or {d}'],
    ]
    return forms[world.random.integers(len(forms))]


def identifiers(world: World, count: int) -> list[str]:
    return [word.lower() for word in Writer("English", world.random).words(count)]


def commented(lines: Sequence[str], marker: str) -> list[str]:
    """Lines as a comment: ``/*`` opens a block, other markers begin each line."""
    if marker == "/*":
        return ["/*", *(f" * {line}" for line in lines), " */"]
    return [f"{marker} {line}" for line in lines]


def released(world: World, lines: Sequence[str]) -> list[str]:
    """The next release: another word in two of a hundred lines, in one at least."""
    lines = list(lines)
    full = [number for number, line in enumerate(lines) if line.strip()]
    for number in world.random.permutation(full)[: max(1, len(full) // 50)]:
        lines[number] = re.sub(r"\w+", identifiers(world, 1)[0], lines[number], count=1)
    return lines


def modules(world: World, short: bool) -> None:
    """A project: modules under one licence, some in two releases; short ones, stubs among them, or all sizes."""
    header = commented(
        world.writer.broken(world.writer.text(world.draw(70, 200))), str(world.random.choice(["#", "//", "/*"]))
    )
    known = [f"from {'.'.join(identifiers(world, 2))} import {identifiers(world, 1)[0]}" for _ in range(12)]
    for _ in range(world.draw(8, 16)):
        thing = world.new()
        imports = [known[i] for i in np.sort(world.random.permutation(12)[: world.draw(1, 7)])]
        if short and world.chance(0.3):
            body = stub(world)
        else:
            body = program(world, world.draw(4, 20) if short else world.draw(10, 150))
        for edition in range(2 if world.chance(0.3) else 1):
            world.add([*header, "", *imports, "", *(released(world, body) if edition else body)], thing)


def stub(world: World) -> list[str]:
    """A module of little: a docstring and its names."""
    names = ", ".join(f'"{name}"' for name in identifiers(world, world.draw(2, 12)))
    return [f'"""{world.writer.line(3, 15)}."""', f"__all__ = [{names}]"]


# ------------------------------------------------------------------------------------------------------ mail


def signed(world: World) -> list[str]:
    """A signature: a name, what they do, where, a number."""
    number = " ".join(map(str, world.random.integers(100, 999, 3)))
    return ["-- ", world.writer.line(2, 2), world.writer.line(2, 4), world.writer.line(3, 6), f"+{number}"]


def mail(world: World) -> None:
    """A company: mail by a few people, each with a signature, all under one legal footer; some of it sent to two."""
    footer = world.writer.text(world.draw(50, 200))
    footer_lines = world.writer.broken(footer) if world.chance(0.5) else [footer]
    people = [signed(world) for _ in range(world.draw(2, 5))]
    for _ in range(world.draw(10, 25)):
        thing, author = world.new(), people[world.random.integers(len(people))]
        body = [world.writer.join(paragraph) for paragraph in world.writer.paragraphs(world.draw(15, 300))]
        for _ in range(2 if world.chance(0.25) else 1):
            world.add([world.writer.line(2, 4) + ",", "", *body, "", *author, "", *footer_lines], thing)


def threads(world: World) -> None:
    """Letters and their answers, each of which quotes one before it whole, signature included."""
    people = [signed(world) for _ in range(4)]
    for _ in range(4):
        thread = world.new()
        sent: list[tuple[list[str], dict[int, int]]] = []
        for _ in range(world.draw(2, 6)):
            words = world.draw(20, 250) if not sent or world.chance(0.7) else world.draw(1, 20)
            lines = [*world.writer.broken(world.writer.text(words)), "", *people[world.random.integers(4)]]
            parts = {world.new(): words}
            if sent:
                quoted, theirs = sent[-1 if world.chance(0.7) else world.random.integers(len(sent))]
                lines = [*lines, "", f"{world.date()}, {world.writer.line(3, 5)}:", *("> " + line for line in quoted)]
                parts |= theirs
            sent.append((lines, parts))
            world.add(lines, thread, parts)


# -------------------------------------------------------------------------------------------------- versions


def early_and_late(world: World) -> None:
    """Texts that grow: at the end, at the beginning, or in the middle."""
    for _ in range(4):
        thing, where = world.new(), world.random.integers(3)
        text: list[str] = []
        parts: dict[int, int] = {}
        for _ in range(world.draw(2, 4)):
            words = world.draw(60, 400) if not text else world.draw(30, 300)
            more = [world.writer.join(paragraph) for paragraph in world.writer.paragraphs(words)]
            place = (len(text), 0, len(text) // 2)[where]
            text = [*text[:place], *more, *text[place:]]
            parts = {**parts, world.new(): words}
            world.add(text, thing, parts)


def changelogs(world: World) -> None:
    """A package's changelog over a few releases: later ones begin with more, some drop the oldest entries."""
    name, people = identifiers(world, 1)[0], [world.writer.line(2, 2) for _ in range(3)]
    thing, entries = world.new(), [entry(world, name, people) for _ in range(world.draw(3, 20))]
    for _ in range(world.draw(2, 4)):
        world.add([line for lines, _, _ in entries for line in lines], thing, {part: n for _, part, n in entries})
        kept = entries[: 2 * len(entries) // 3] if world.chance(0.2) else entries
        entries = [*(entry(world, name, people) for _ in range(world.draw(1, 8))), *kept]


def entry(world: World, name: str, people: Sequence[str]) -> tuple[list[str], int, int]:
    """Lines of one release, the number of the part, its words."""
    items = [world.writer.sentences(world.draw(4, 25))[0] for _ in range(world.draw(1, 5))]
    numbers = ".".join(map(str, world.random.integers(0, 40, 3)))
    author = people[world.random.integers(len(people))]
    lines = [f"{name} ({numbers})", "", *(f"  * {item}" for item in items), "", f" -- {author}  {world.date()}", ""]
    return lines, world.new(), sum(len(item.split()) for item in items)


# ----------------------------------------------------------------------------------------------------- forms


def forms(world: World) -> None:
    """One letter, filled in for many: a fifth to a half of its shingles are of the fields. Some are sent once more."""
    words, width = world.draw(60, 400), world.draw(1, 4)
    fields = max(2, round(world.random.uniform(0.2, 0.5) * words / (width + 4)))
    form = world.writer.words(words)
    for _ in range(world.draw(8, 20)):
        thing = world.new()
        text = list(form)
        for place in np.linspace(0, words, fields, endpoint=False).astype(int)[::-1] + words // fields // 2:
            text[place:place] = world.writer.words(width)
        lines = [world.writer.sentence(text[start : start + 14]) for start in range(0, len(text), 14)]
        for _ in range(2 if world.chance(0.15) else 1):
            world.add([world.writer.join(lines), world.date()], thing)


def sentence_forms(world: World) -> None:
    """Forms whose sentences each have words and numbers of their own."""
    for _ in range(12):
        world.add(
            [world.writer.join(paragraph) for paragraph in filled(world.writer, world.draw(60, 200))], world.new()
        )


def records(world: World) -> None:
    """Records of six values each, every one of which an eighth of the records have: no two have the same six."""
    writer = world.writer
    names = [writer.line(1, 2) for _ in range(6)]
    values = [[writer.line(2, 7) for _ in range(8)] for _ in names]
    first, last = writer.line(5, 6), writer.line(12, 13)
    for chosen in np.unique(world.random.integers(0, 8, (800, 6)), axis=0):
        lines = [f"{name}: {of[value]}" for name, of, value in zip(names, values, chosen, strict=True)]
        world.add([first, *lines, last], world.new())


# ----------------------------------------------------------------------------------------------------- stubs


def stubs(world: World) -> None:
    """Articles and texts of a few words, all with one footer, or all under one heading; some articles without it."""
    notice = world.writer.text(world.draw(40, 120))
    notice_lines = world.writer.broken(notice) if world.chance(0.3) else [notice]
    below = world.chance(0.7)

    def with_notice(lines: list[str]) -> list[str]:
        return [*lines, "", *notice_lines] if below else [*notice_lines, "", *lines]

    for _ in range(world.draw(5, 25)):
        thing = world.new()
        body = [world.writer.join(paragraph) for paragraph in world.writer.paragraphs(world.draw(120, 500))]
        world.add(with_notice(body), thing)
        if world.chance(0.15):
            world.add(body, thing)
    for _ in range(world.draw(1, 4)):
        world.add(with_notice([world.writer.text(world.draw(8, 60))]), world.new())


# ------------------------------------------------------------------------------------- poems, lists, tables


def poem(world: World, lines: int) -> list[str]:
    """Stanzas of four lines."""
    verses = [world.writer.line(4, 9) for _ in range(lines)]
    return [line for start in range(0, lines, 4) for line in [*verses[start : start + 4], ""]]


def bullets(world: World, lines: int) -> list[str]:
    return [f"- {world.writer.line(1, 5)}" for _ in range(lines)]


def figures(world: World, lines: int) -> list[str]:
    """A table: a name and four numbers a row."""
    rows = ([world.writer.line(1, 3), *map(str, world.random.integers(0, 5000, 4))] for _ in range(lines))
    return ["\t".join(row) for row in rows]


def under_a_notice(world: World, shape: Callable[[World, int], list[str]]) -> None:
    """Texts of short lines with one licence in sentences, before or after; some without it, some with another."""
    notices = [[world.writer.text(world.draw(40, 150))] for _ in range(2)]
    notices = [world.writer.broken(notice) if world.chance(0.5) else [notice] for (notice,) in notices]
    below = world.chance(0.5)
    for _ in range(world.draw(8, 16)):
        thing, lines = world.new(), shape(world, world.draw(8, 100))
        chosen = [notices[0], *([[]] if world.chance(0.25) else []), *([notices[1]] if world.chance(0.15) else [])]
        for notice in chosen:
            world.add([*lines, "", *notice] if below else [*notice, "", *lines], thing)


# ----------------------------------------------------------------------------------------------------- pages

#: What pages have around them where each is of a site of its own: a menu; the same, and paragraphs of notices.
MENUS = Scenario(menu=(10, 60), notice=(0, 0), comments=(0, 0), teasers=(0, 0), read=(0, 0), places=("both",))
NOTICES = replace(MENUS, notice=(50, 200))

#: Pages whose lines are those that a reader sees.
IN_LINES = replace(MENUS, layouts=("lines", "wrapped"))

#: Of pages of few-page sites, the share that is common to all of a site.
FURNITURE = 0.85


def maker(world: World, scenario: Scenario) -> Maker:
    """Make pages in the language of the writer, with the random numbers of the world."""
    made = Maker(replace(scenario, languages=(world.writer.name,)), 0)
    made.random = world.random
    return made


def site(world: World, made: Maker) -> Site:
    return made.site(int(world.random.integers(4)))


def outlets(world: World, scenario: Scenario, clean: bool = True) -> None:
    """One story in thirty outlets, each in its own page, some slightly edited; with the clean text or without."""
    made, thing = maker(world, scenario), world.new()
    story = Story(thing, world.writer.line(4, 9), world.writer.paragraphs(world.draw(120, 900)))
    if clean:
        world.add([world.writer.join(paragraph) for paragraph in story.paragraphs], thing)
    for _ in range(30):
        told = made.edited(world.writer, story) if world.chance(0.3) else story
        world.add([made.page(site(world, made), told)], thing)


def inside_a_page(world: World, shape: Callable[[World, int], list[str]]) -> None:
    """Sites of three to six pages, each of which carries a program or a poem; some stand clean as well, some on two."""
    made = maker(world, replace(MENUS, form="list"))
    sites = [site(world, made) for _ in range(2)]
    for number in range(world.draw(6, 12)):
        thing = world.new()
        lines = [line for line in shape(world, world.draw(15, 120)) if line]
        story = Story(thing, world.writer.line(4, 9), [[line] for line in lines])
        if world.chance(0.6):
            world.add(lines, thing)
        for place in sites if world.chance(0.2) else [sites[number % 2]]:
            world.add([made.page(place, story)], thing)


def few_pages(world: World, two_sites: bool) -> None:
    """A site of two to six pages, 85 % of each common to all, 100 to 300 words its own.

    Some stand clean as well, some are there once more as of another day; or some are on a page of a second such site.
    """
    words = [world.draw(100, 300) for _ in range(world.draw(2, 6))]
    stories = [Story(world.new(), world.writer.line(4, 9), world.writer.paragraphs(count)) for count in words]
    sites = [few_page_site(world, min(words)) for _ in range(2 if two_sites else 1)]
    for story in stories:
        chosen = sites if two_sites else sites * (2 if world.chance(0.2) else 1)
        if not two_sites and world.chance(0.3):
            world.add([world.writer.join(paragraph) for paragraph in story.paragraphs], story.number)
        for made, place in chosen if not two_sites or world.chance(0.4) else [chosen[story.number % 2]]:
            world.add([made.page(place, story)], story.number)


def few_page_site(world: World, own: int) -> tuple[Maker, Site]:
    """A site whose furniture, menu, headlines and notices, is `FURNITURE` of a page of so many words of its own."""
    words = round(own * FURNITURE / (1 - FURNITURE))
    sentences = round(words * world.random.uniform(0.1, 0.7))
    made = maker(world, replace(MENUS, menu=(20, 60), notice=(sentences, sentences), places=Scenario().places))
    place = site(world, made)
    left = words - sentences - 2 * len(place.menu)
    place.menu += [world.writer.line(4, 9) for _ in range(max(0, left) * 2 // 13)]
    return made, place


#: World, and families of it for each language at scale 1.
WORLDS: dict[str, tuple[Callable[[World], None], int]] = {
    "code under licences": (partial(modules, short=False), 2),
    "short modules and stubs under licences": (partial(modules, short=True), 3),
    "mail under legal footers": (mail, 2),
    "threads of quoted replies": (threads, 2),
    "early and late versions": (early_and_late, 4),
    "changelogs": (changelogs, 8),
    "forms": (forms, 3),
    "forms, each sentence filled": (sentence_forms, 1),
    "records of values that many have": (records, 1),
    "stubs under one footer": (stubs, 3),
    "poems under licences": (partial(under_a_notice, shape=poem), 2),
    "lists under licences": (partial(under_a_notice, shape=bullets), 2),
    "tables under licences": (partial(under_a_notice, shape=figures), 2),
    "thirty outlets, clean text": (partial(outlets, scenario=IN_LINES), 1),
    "thirty outlets, no clean text": (partial(outlets, scenario=IN_LINES, clean=False), 1),
    "thirty outlets, all before or behind": (
        partial(outlets, scenario=replace(IN_LINES, places=("before", "after"))),
        1,
    ),
    "thirty outlets, some marked up or in one line": (partial(outlets, scenario=MENUS), 1),
    "thirty outlets, paragraphs of notices": (partial(outlets, scenario=NOTICES), 1),
    "programs inside pages": (partial(inside_a_page, shape=program), 2),
    "poems inside pages": (partial(inside_a_page, shape=poem), 2),
    "few pages a site": (partial(few_pages, two_sites=False), 6),
    "few pages a site, stories on two": (partial(few_pages, two_sites=True), 3),
}


def make(name: str, *, scale: float = 1.0, seed: int = 1) -> Collection:
    """Make a world, of so many times its families."""
    family, count = WORLDS[name]
    languages = list(LANGUAGES)
    world = World(Writer(languages[0], np.random.default_rng(seed)))
    for number in range(max(1, round(count * scale * len(languages)))):
        world.writer = Writer(languages[number % len(languages)], world.random)
        family(world)
    return world.made
