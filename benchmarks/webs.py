"""Stories on sites: a generated web of known truth.

A site has its boilerplate: menu, ticker, teasers of its other stories, a most-read list that turns with the day, share
buttons, comments, notices of law; before the story, after it or both; and a way to set lines: one for each paragraph,
broken to a width, marked up, or one for the whole page. Some stories stand on many sites, as they are or slightly
edited, cut to a half, or with a paragraph more; of some there is the clean text too. Documents of one story are truly
the same, all others are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from writing import LANGUAGES, WIDTH, Collection, Writer, broken, marked


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What to make; shares in [0, 1], ranges from and to.

    Attributes
    ----------
    languages : tuple of str
        Sites take turns at them.
    sites, pages : int, (int, int)
        Sites, and pages of each: drawn evenly on a scale of logarithms.
    words : (int, int)
        Of a story; drawn likewise.
    syndicated, outlets : float, (int, int)
        Stories that stand on several sites, as a share of the pages; and on how many.
    kept : float
        Share of the outlets that have the story word for word; the others edit, cut or add.
    clean : float
        Share of the syndicated stories of which there is the clean text too.
    menu, notice, comments, teasers, read : (int, int)
        Lines of the menu, words of the notices, comments of a page, teasers of a page, titles of the most-read list.
    common : bool
        Whether all sites of a language have the same notice.
    layouts, places : tuple of str
        How lines are set, and where boilerplate stands.
    form : str
        "paragraphs"; "list": stories are short lines; "links": they are titles of others; "form": the same sentences
        around words of their own.
    editions : int
        Times that each page is found, its boilerplate being of another day and two words in a hundred edited.
    front : bool
        Whether each site has a front page of teasers.
    """

    languages: tuple[str, ...] = tuple(LANGUAGES)
    sites: int = 21
    pages: tuple[int, int] = (2, 50)
    words: tuple[int, int] = (60, 1500)
    syndicated: float = 0.15
    outlets: tuple[int, int] = (2, 6)
    kept: float = 0.5
    clean: float = 0.3
    menu: tuple[int, int] = (10, 80)
    notice: tuple[int, int] = (50, 200)
    comments: tuple[int, int] = (0, 3)
    teasers: tuple[int, int] = (0, 6)
    read: tuple[int, int] = (0, 8)
    common: bool = False
    layouts: tuple[str, ...] = ("lines", "wrapped", "single", "marked")
    places: tuple[str, ...] = ("before", "after", "both")
    form: str = "paragraphs"
    editions: int = 1
    front: bool = False


BARE: dict[str, Any] = {"menu": (0, 0), "notice": (0, 0), "comments": (0, 0), "teasers": (0, 0), "read": (0, 0)}

SCENARIOS = {
    **{f"mixed, {name}": Scenario(languages=(name,), sites=12) for name in LANGUAGES},
    "one line for each paragraph": Scenario(layouts=("lines",)),
    "wrapped": Scenario(layouts=("wrapped",)),
    "a page in a single line": Scenario(layouts=("single",)),
    "one page a site": Scenario(sites=150, pages=(1, 1), syndicated=0.5),
    "two pages a site": Scenario(sites=100, pages=(2, 2), syndicated=0.4),
    "three pages a site": Scenario(sites=70, pages=(3, 3), syndicated=0.4),
    "short stories": Scenario(words=(60, 150)),
    "short stories in long notices": Scenario(words=(60, 150), notice=(150, 400)),
    "one notice for all sites": Scenario(words=(60, 300), notice=(150, 250), common=True),
    "comments": Scenario(comments=(5, 15)),
    "teasers": Scenario(teasers=(8, 15), words=(60, 400)),
    "front pages": Scenario(front=True, sites=60, pages=(3, 12), syndicated=0.3),
    "a story on fifty sites": Scenario(
        languages=("Russian",), sites=70, pages=(1, 6), syndicated=0.4, outlets=(50, 50)
    ),
    "lists": Scenario(form="list"),
    "links": Scenario(form="links"),
    "one form": Scenario(form="form", words=(60, 300)),
    "editions": Scenario(editions=3, kept=1.0),
    "no copies": Scenario(syndicated=0.0),
    "no copies, two pages a site": Scenario(syndicated=0.0, sites=150, pages=(2, 2)),
    "bare stories": Scenario(**BARE, layouts=("lines", "wrapped"), syndicated=0.3),
}


# ---------------------------------------------------------------------------------------------- stories, sites


@dataclass(frozen=True)
class Story:
    """A title, and paragraphs of sentences."""

    number: int
    title: str
    paragraphs: list[list[str]]

    @property
    def teaser(self) -> list[str]:
        return self.paragraphs[0][:2]


@dataclass
class Site:
    """What its pages have in common; `stories` are its own."""

    writer: Writer
    layout: str
    place: str
    menu: list[str]
    notice: list[list[str]]
    buttons: list[str]
    stories: list[Story] = field(default_factory=list)


class Maker:
    """Makes a scenario."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.random = scenario, np.random.default_rng(seed)
        self._stories = 0

    def make(self) -> Collection:
        sites = [self.site(number) for number in range(self.scenario.sites)]
        counts = [self.draw(self.scenario.pages) for _ in sites]
        total = sum(counts)
        web = Collection()
        pages: list[tuple[Site, Story]] = []
        while len(pages) < self.scenario.syndicated * total:
            pages += self.syndicate(sites, web)
        for site, count in zip(sites, counts, strict=True):
            own = count - sum(other is site for other, _ in pages)
            pages += [(site, self.story(site)) for _ in range(own)]
        for site, story in pages:
            site.stories.append(story)
        for site, story in pages:
            for edition in range(self.scenario.editions):
                told = self.edited(site.writer, story) if edition else story
                web.add(self.page(site, told), story.number)
        for site in sites if self.scenario.front else []:
            self._stories += 1
            web.add(self.front(site), self._stories)
        return web

    def draw(self, bounds: tuple[int, int]) -> int:
        """A number, each size of it as likely as any other."""
        low, high = bounds
        return int(np.exp(self.random.uniform(np.log(low + 1), np.log(high + 2)))) - 1

    def site(self, number: int) -> Site:
        scenario = self.scenario
        turn = number % len(scenario.languages)
        writer = Writer(scenario.languages[turn], self.random)
        notes = Writer(writer.name, np.random.default_rng(turn)) if scenario.common else writer
        words = int(np.mean(scenario.notice)) if scenario.common else self.draw(scenario.notice)
        return Site(
            writer,
            scenario.layouts[number // len(scenario.languages) % len(scenario.layouts)],
            scenario.places[self.random.integers(len(scenario.places))],
            [writer.line(1, 3) for _ in range(self.draw(scenario.menu))],
            notes.paragraphs(words) if words else [],
            [writer.line(1, 2) for _ in range(4)] if scenario.menu[1] else [],
        )

    def story(self, site: Site) -> Story:
        writer, words = site.writer, self.draw(self.scenario.words)
        self._stories += 1
        if self.scenario.form == "paragraphs":
            paragraphs = writer.paragraphs(words)
        elif self.scenario.form == "form":
            paragraphs = filled(writer, words)
        else:
            longest = 4 if self.scenario.form == "list" else 9
            paragraphs = [[writer.line(2, longest)] for _ in range(max(8, words // (longest // 2 + 1)))]
        return Story(self._stories, writer.line(4, 9), paragraphs)

    def syndicate(self, sites: list[Site], web: Collection) -> Iterator[tuple[Site, Story]]:
        """One story for several sites of one language."""
        scenario = self.scenario
        first = sites[self.random.integers(len(sites))]
        fitting = (
            [site for site in sites if site.writer.name == first.writer.name] if scenario.outlets[1] < 50 else sites
        )
        story = self.story(first)
        count = min(self.draw(scenario.outlets), len(fitting))
        if self.random.random() < scenario.clean:
            web.add("\n".join(map(first.writer.join, story.paragraphs)), story.number)
        for place in self.random.permutation(len(fitting))[:count]:
            kept = self.random.random() < scenario.kept
            yield fitting[place], story if kept else self.changed(first.writer, story)

    def changed(self, writer: Writer, story: Story) -> Story:
        """Edit slightly, cut to a half, or add a paragraph."""
        how = self.random.integers(3)
        paragraphs = story.paragraphs
        if how == 0:
            return self.edited(writer, story)
        if how == 1:
            half = (sum(map(len, paragraphs)) + 1) // 2
            kept: list[list[str]] = []
            for paragraph in paragraphs:
                if sum(map(len, kept)) < half:
                    kept.append(paragraph)
            return replace(story, paragraphs=kept)
        words = max(8, sum(len(" ".join(paragraph).split()) for paragraph in paragraphs) // 5)
        return replace(story, paragraphs=[*paragraphs, writer.sentences(min(words, 60))])

    def edited(self, writer: Writer, story: Story) -> Story:
        """Another sentence for two in a hundred, one at least in eight and more."""
        paragraphs = [list(paragraph) for paragraph in story.paragraphs]
        places = [(i, j) for i, paragraph in enumerate(paragraphs) for j in range(len(paragraph))]
        for i, j in self.random.permutation(places)[: max(len(places) // 50, len(places) >= 8)]:
            paragraphs[i][j] = writer.edited(paragraphs[i][j])
        return replace(story, paragraphs=paragraphs)

    # ----------------------------------------------------------------------------------------------- pages

    def page(self, site: Site, story: Story) -> str:
        """The story in its boilerplate: blocks of lines, a menu's (True) or paragraphs."""
        writer, scenario = site.writer, self.scenario
        others = [site.stories[i] for i in self.random.permutation(len(site.stories)) if site.stories[i] is not story]
        day = self.random.integers(4)
        read = sorted(others, key=lambda other: (other.number % 4 != day, other.number))[: self.draw(scenario.read)]
        teasers = others[: self.draw(scenario.teasers)]
        date = f"{self.random.integers(1, 29)}.{self.random.integers(1, 13)}.2021"
        top = [(True, site.menu), (True, [other.title for other in read])]
        byline = [f"{date}  {self.random.integers(24)}:{self.random.integers(10, 60)}", writer.line(2, 2)]
        body = [(True, [story.title]), (True, byline if site.menu else [])]
        lines = scenario.form in ("list", "links")
        body += [(lines, [writer.join(paragraph)]) for paragraph in story.paragraphs]
        bottom = [(True, site.buttons), *self.comments(writer, site)]
        for other in teasers:
            bottom += [(True, [other.title]), (False, [writer.join(other.teaser)])]
        notice = [(False, [writer.join(paragraph)]) for paragraph in site.notice]
        if site.place == "before":
            return self.typeset(site, [*top, *notice, *bottom[1:], *body])
        if site.place == "after":
            return self.typeset(site, [*body, *bottom, *top, *notice])
        return self.typeset(site, [*top, *body, *bottom, *notice])

    def comments(self, writer: Writer, site: Site) -> Iterator[tuple[bool, list[str]]]:
        for _ in range(self.draw(self.scenario.comments)):
            yield True, [writer.line(1, 2), *site.buttons[:1]]
            yield False, [writer.join(writer.sentences(int(self.random.integers(8, 60))))]
            yield True, site.buttons[1:3]

    def front(self, site: Site) -> str:
        blocks: list[tuple[bool, list[str]]] = [(True, site.menu)]
        for story in site.stories:
            blocks += [(True, [story.title]), (False, [site.writer.join(story.teaser)])]
        notice = [(False, [site.writer.join(paragraph)]) for paragraph in site.notice]
        return self.typeset(site, [*blocks, (True, site.buttons), *notice])

    def typeset(self, site: Site, blocks: Sequence[tuple[bool, list[str]]]) -> str:
        """Set blocks of lines as the site does."""
        blocks = [(short, lines) for short, lines in blocks if lines]
        if site.layout == "single":
            return " ".join(line for _, lines in blocks for line in lines)
        if site.layout == "marked":
            return "\n\n".join("\n".join(marked(lines) if short else lines) for short, lines in blocks)
        wide = WIDTH if site.writer.language.space else WIDTH // 2
        rows = [line for _, lines in blocks for line in lines]
        if site.layout == "wrapped":
            rows = [row for line in rows for row in broken(line, wide)]
        return "\n".join(rows)


def filled(writer: Writer, words: int) -> list[list[str]]:
    """Sentences of a form: those of every text in the language, with words and numbers of its own in each."""
    form = Writer(writer.name, np.random.default_rng(0)).sentences(words)
    own = writer.words(2 * len(form))
    numbers = writer.random.integers(1, 9999, len(form))
    space = writer.language.space
    return [
        [space.join([*own[2 * i : 2 * i + 2], sentence, str(number)])]
        for i, (sentence, number) in enumerate(zip(form, numbers, strict=True))
    ]
