"""Stories on sites: a generated web of known truth, to see where evidence of boilerplate helps and where it errs.

    python benchmarks/sites.py --scale 1 --json

makes the pages of every scenario (`SCENARIOS`), finds their copies with boilerplate weighed and not, and prints for
each the precision and recall of the clusters, over all pairs of documents, beside exact Jaccard and containment
from 0.8 on (connected components, no sketch error).

A site has its boilerplate: menu, ticker, teasers of its other stories, a most-read list that turns with the day, share
buttons, comments, notices of law; before the story, after it or both; and a way to set lines: one for each paragraph,
broken to a width, marked up, or one for the whole page. Some stories stand on many sites, as they are or slightly
edited, cut to a half, or with a paragraph more; of some there is the clean text too. Documents of one story are truly
the same, all others are not. The words are made of parts in seven languages, and mean nothing; the parts are ours.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any

import corpus
import numpy as np
import scoring

WIDTH = 72  # of broken lines, in letters; half of it in scripts written without spaces


@dataclass(frozen=True)
class Language:
    """Words without meaning: `functions` as they are, and every first part with every second."""

    functions: str
    first: str
    second: str
    space: str = " "
    comma: str = ", "
    stop: str = "."

    @property
    def content(self) -> tuple[str, ...]:
        return tuple(map("".join, product(self.first.split(), self.second.split())))


LANGUAGES = {
    "English": Language(" ".join(corpus.FUNCTION_WORDS), "", ""),
    "Chinese": Language(
        "的 了 在 是 和 也 都 就 有 对 从 把 被 又 与 这 那 一 个 上 下 并 而 将 已",
        "海 山 河 城 雨 风 灯 船 桥 石 木 花 鸟 鱼 田 村 路 钟 塔 湖 云 雪 火 铁 茶 米 布 纸 书 琴",
        "港 口 边 声 光 影 工 人 家 门 场 学 会 市 馆 员 器 面 季 节 费 期 客 厂 队 店 院 室 团 票",
        space="", comma="，", stop="。",
    ),
    "Japanese": Language(
        "は が を に で と も の へ から まで より など した して いる ある なる だが また この その",
        "うみ 山 川 町 雨 風 ひかり 船 橋 石 森 花 鳥 さかな 田 村 道 時計 塔 湖 雲 雪 火 鉄 茶 米",
        "べ の声 場 屋 会 人 市 館 駅 員 祭り 仕事 季節 料理 学校 門 客 港 工場 店 部 室 まつり 券",
        space="", comma="、", stop="。",
    ),
    "Thai": Language(
        "ที่ และ ใน ของ เป็น มี ได้ ให้ จาก กับ ว่า จะ ไป มา ก็ แต่ เมื่อ โดย ถึง นี้",
        "ทะเล ภูเขา แม่น้ำ เมือง ฝน ลม เรือ สะพาน หิน ไม้ ดอกไม้ นก ปลา นา ถนน นาฬิกา เมฆ ไฟ ชา ข้าว",
        "ใหญ่ เก่า ใหม่ สวย ไกล สูง เย็น ร้อน เงียบ เล็ก ขาว ดำ แดง เขียว หลวง น้อย กลาง เหนือ ใต้",
        space="", comma=" ", stop=" ",
    ),
    "Arabic": Language(
        "في من على إلى عن مع هذا هذه التي الذي كان قد بعد قبل بين عند لم كل أو ثم",
        "بحر جبل نهر مدين مطر ريح سفين جسر حجر خشب زهر طير سمك حقل طريق ساع برج غيم ثلج حديد",
        "ة ات ين ها نا هم كم ي ان ية تها تنا وا يات يها ينا",
        comma="، ",
    ),
    "Russian": Language(
        "и в на не что с по как к из у за от для при это но же или когда до",
        "мор гор рек город дожд ветр корабл мост камн лес цвет птиц рыб пол дорог час башн облак снег огн чай книг",
        "ский ного ная ом ами ах ов ник ница ство ость ение ями ную ских нике",
    ),
    "Hindi": Language(
        "और में के की का से को पर है हैं था थी ने यह वह भी तो कि लिए एक",
        "समुद्र पहाड़ नदी नगर वर्षा पवन नाव सेतु पत्थर वन फूल पक्षी मछली खेत मार्ग घड़ी मीनार बादल हिम अग्नि",
        "वाला वाले वाली कार दार पुर गाँव शाला पति भर हीन मय जन कर्म पथ",
        stop="।",
    ),
}  # fmt: skip


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


# -------------------------------------------------------------------------------------------------- language


@dataclass(frozen=True)
class Vocabulary:
    """Words of a language, and their cumulated frequencies."""

    language: Language
    words: np.ndarray
    content: np.ndarray
    odds: np.ndarray


@cache
def vocabulary(name: str) -> Vocabulary:
    """Function words and content words; of these, frequencies are Zipf's, flattened at the top."""
    language = LANGUAGES[name]
    content = language.content or corpus.vocabulary()[len(corpus.FUNCTION_WORDS) :][:3000]
    order = np.argsort(corpus.keyed(1, name, np.arange(len(content))))
    odds = np.cumsum(1 / (np.arange(len(content)) + 30))
    return Vocabulary(language, np.array(language.functions.split()), np.array(content)[order], odds / odds[-1])


@dataclass
class Writer:
    """Writes a language."""

    name: str
    random: np.random.Generator

    @property
    def language(self) -> Language:
        return LANGUAGES[self.name]

    def words(self, count: int) -> list[str]:
        """Words in no sentence; two of five are function words."""
        known = vocabulary(self.name)
        content = known.content[np.searchsorted(known.odds, self.random.random(count))]
        functions = known.words[self.random.integers(len(known.words), size=count)]
        return np.where(self.random.random(count) < 0.4, functions, content).tolist()

    def sentences(self, count: int) -> list[str]:
        """Sentences of so many words together."""
        words, made = self.words(count), []
        while words:
            size = int(self.random.integers(7, 26))
            size = size if len(words) - size > 5 else len(words)
            made.append(self.sentence(words[:size]))
            words = words[size:]
        return made

    def sentence(self, words: list[str]) -> str:
        middle = len(words) // 2 if len(words) > 12 else len(words)
        parts = [self.language.space.join(part) for part in (words[:middle], words[middle:]) if part]
        text = self.language.comma.join(parts) + self.language.stop
        return text[:1].upper() + text[1:]

    def line(self, least: int, most: int) -> str:
        """A few words: an entry of a menu, a title."""
        text = self.language.space.join(self.words(int(self.random.integers(least, most + 1))))
        return text[:1].upper() + text[1:]

    def paragraphs(self, count: int) -> list[list[str]]:
        """Paragraphs of a few sentences each."""
        sentences, made = self.sentences(count), []
        while sentences:
            size = int(self.random.integers(2, 6))
            made.append(sentences[:size])
            sentences = sentences[size:]
        return made

    def join(self, sentences: Sequence[str]) -> str:
        return (self.language.space if self.language.space or self.language.stop != " " else "").join(sentences)


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


@dataclass
class Web:
    """Documents of a scenario: their texts, and the story of each."""

    texts: list[str]
    truth: list[int]


class Maker:
    """Makes a scenario."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.random = scenario, np.random.default_rng(seed)
        self._stories = 0

    def make(self) -> Web:
        sites = [self.site(number) for number in range(self.scenario.sites)]
        counts = [self.draw(self.scenario.pages) for _ in sites]
        total = sum(counts)
        web = Web([], [])
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
                web.texts.append(self.page(site, told))
                web.truth.append(story.number)
        for site in sites if self.scenario.front else []:
            self._stories += 1
            web.texts.append(self.front(site))
            web.truth.append(self._stories)
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

    def syndicate(self, sites: list[Site], web: Web) -> Iterator[tuple[Site, Story]]:
        """One story for several sites of one language."""
        scenario = self.scenario
        first = sites[self.random.integers(len(sites))]
        fitting = (
            [site for site in sites if site.writer.name == first.writer.name] if scenario.outlets[1] < 50 else sites
        )
        story = self.story(first)
        count = min(self.draw(scenario.outlets), len(fitting))
        if self.random.random() < scenario.clean:
            web.texts.append("\n".join(map(first.writer.join, story.paragraphs)))
            web.truth.append(story.number)
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
            words = paragraphs[i][j].split() if writer.language.space else list(paragraphs[i][j])
            words[len(words) // 2] = writer.words(1)[0]
            paragraphs[i][j] = writer.language.space.join(words)
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


def marked(lines: Sequence[str]) -> Sequence[str]:
    """Make a list of links of several lines."""
    return [f"* [{line}](/{number})" for number, line in enumerate(lines)] if len(lines) > 1 else lines


def broken(line: str, width: int) -> Iterator[str]:
    """Break a line at its last blank before the width, or at the width."""
    while len(line) > width:
        cut = line.rfind(" ", width // 2, width + 1)
        cut = cut if cut > 0 else width
        yield line[:cut]
        line = line[cut:].lstrip(" ")
    yield line


def make(name: str, *, scale: float = 1.0, seed: int = 1) -> Web:
    """Make a scenario, of so many times its sites."""
    scenario = SCENARIOS[name]
    return Maker(replace(scenario, sites=max(3, round(scenario.sites * scale))), seed).make()


# ------------------------------------------------------------------------------------------------- measuring


def measured(web: Web, truth: np.ndarray, **settings: Any) -> dict[str, Any]:
    """Score what the library finds."""
    import dupdetect

    start = time.perf_counter()
    found = dupdetect.dedup(web.texts, **settings)
    seconds = time.perf_counter() - start
    clusters = scoring.labels(found.clusters["cluster"].to_pylist())
    return summary(clusters, truth) | {"seconds": round(seconds, 3)}


def summary(clusters: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    score = scoring.score_clusters(clusters, truth)
    return {"true": score.true, "right": score.right, "wrong": score.found - score.right} | {
        "precision": round(score.precision, 4),
        "recall": round(score.recall, 4),
    }


def exact(web: Web, truth: np.ndarray) -> dict[str, Any]:
    """Score connected components of the pairs whose exact similarity is 0.8 and more."""
    from engines import SHINGLE_SIZE, similarities

    blocks = list(similarities(web.texts, SHINGLE_SIZE))
    return {
        f"exact {measure}": summary(
            scoring.components(
                len(web.texts), np.concatenate([pairs[found[measure] >= 0.8] for pairs, found in blocks])
            ),
            truth,
        )
        for measure in ("jaccard", "containment")
    }


def rows(
    names: Sequence[str], *, scale: float, seeds: Sequence[int], baselines: bool, **settings: Any
) -> Iterator[dict[str, Any]]:
    """A row for each scenario, sums over the seeds."""
    for name in names:
        webs = [make(name, scale=scale, seed=seed) for seed in seeds]
        web = joined(webs)
        truth = scoring.labels(web.truth)
        row: dict[str, Any] = {"scenario": name, "documents": len(web.texts)}
        row["on"] = measured(web, truth, boilerplate=True, **settings)
        row["off"] = measured(web, truth, boilerplate=False, **settings)
        yield row | (exact(web, truth) if baselines else {})


def joined(webs: Sequence[Web]) -> Web:
    """Several webs as one."""
    truth = [(number, story) for number, web in enumerate(webs) for story in web.truth]
    return Web([text for web in webs for text in web.texts], scoring.labels(truth).tolist())


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Score boilerplate, weighed and not, on generated sites.")
    parser.add_argument("--scenarios", nargs="+", default=list(SCENARIOS), choices=SCENARIOS, metavar="NAME")
    parser.add_argument("--scale", type=float, default=1.0, help="times the sites of each scenario")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--no-baselines", dest="baselines", action="store_false", help="leave exact similarity out")
    parser.add_argument("--json", action="store_true", help="a row of JSON for each scenario")
    given = parser.parse_args(arguments)
    columns = ["on", "off", *(["exact jaccard", "exact containment"] if given.baselines else [])]
    if not given.json:
        print("| scenario | documents | true pairs |", " | ".join(f"{c}: precision, recall" for c in columns), "|")
        print("|---|---|---|" + "---|" * len(columns))
    for row in rows(given.scenarios, scale=given.scale, seeds=given.seeds, baselines=given.baselines):
        if given.json:
            print(json.dumps(row), flush=True)
        else:
            cells = [f"{row[c]['precision']:.3f}, {row[c]['recall']:.3f}" for c in columns]
            print(
                "|",
                " | ".join([row["scenario"], str(row["documents"]), str(row["on"]["true"]), *cells]),
                "|",
                flush=True,
            )


if __name__ == "__main__":
    main()
