"""What a suit is made of is no evidence, and where nobody wears one nothing changes."""

from __future__ import annotations

import random

import pytest
from generated_sites import LANGUAGES, Site, Writer, site

import dupdetect


def groups(corpus: dict[str, str], **settings: object) -> list[list[str]]:
    """Deduplicate: clusters of two and more, sorted."""
    return sorted(sorted(group.members) for group in dupdetect.dedup(corpus, **settings).groups())


def near_duplicates(result: dupdetect.Result) -> list[dict[str, object]]:
    """Give the matches that reach the threshold."""
    names = ["a", "b", "relation", "jaccard", "containment_a", "containment_b"]
    return [row for row in result.matches.select(names).to_pylist() if row["relation"] == "near_duplicate"]


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """Give each language in turn."""
    name: str = request.param
    return name


@pytest.fixture
def sites(language: str) -> dict[str, str]:
    """Make up two sites of five pages and more; both have carried one agency's story, "one" and "two"."""
    story = Writer(language, "agency").story()
    carried = {name: Site.of(language, name).page(story) for name in ("one", "two")}
    return site(language, "one", 5) | site(language, "two", 5) | carried


def test_strangers_in_one_suit_stay_apart_and_one_story_in_two_suits_is_found(sites: dict[str, str]) -> None:
    assert groups(sites) == [["one", "two"]]
    assert groups(sites, boilerplate=False) == []


def test_a_match_says_how_much_of_it_is_template(sites: dict[str, str]) -> None:
    (match,) = dupdetect.dedup(sites).matches.to_pylist()
    assert {match["a"], match["b"]} == {"one", "two"}
    assert match["boilerplate"] == 0
    assert match["score"] > 0.8 > 0.5 > max(match["containment_a"], match["containment_b"])


def test_a_match_in_one_suit_says_that_much_is_template() -> None:
    page = Site.of("en", "one").page
    story = Writer("en", "agency").story()
    corpus = site("en", "one", 5) | {"first": page(story), "again": page(story + "\n\n" + Writer("en", "more").line(9))}
    (match,) = dupdetect.dedup(corpus).matches.to_pylist()
    assert {match["a"], match["b"]} == {"again", "first"}
    assert 0.5 < match["boilerplate"] < 0.7
    assert match["boilerplate"] < match["jaccard"]


def test_lines_broken_to_a_width_change_nothing() -> None:
    import textwrap

    sites = site("en", "one", 5) | site("en", "two", 5)
    sites |= {name: Site.of("en", name).page(Writer("en", "agency").story()) for name in ("one", "two")}
    broken = {id: "\n".join(textwrap.fill(line, 72) for line in text.split("\n")) for id, text in sites.items()}
    assert groups(broken) == [["one", "two"]]
    assert groups({id: text.replace("\n", "\r\n") for id, text in sites.items()}) == [["one", "two"]]


@pytest.mark.parametrize("footer", [0, 60], ids=["no footer", "one footer"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_story_that_fifty_outlets_carry_is_one_text(language: str, footer: int) -> None:
    """Each puts teasers of its own before it and after; one system may end all of them alike.

    Only the clean text stands for them: what each has of its own is nowhere else, and may be content.
    """
    story, end = Writer(language, "wire").story(12), Writer(language, "system").line(footer)
    corpus = {
        f"outlet {n}": f"{Site.of(language, n, above=2 + n % 2, below=3 - n % 2, size=30).page(story)}\n{end}"
        for n in range(50)
    }
    assert groups(corpus) == []
    assert groups(corpus | {"clean": story}) == [sorted([*corpus, "clean"])]
    assert dupdetect.dedup(corpus | {"clean": story}).groups()[0].canonical == "clean"


def test_a_clean_text_is_found_in_fifty_pages_of_other_outlets(language: str) -> None:
    story = Writer(language, "wire").story(4)
    corpus = {f"outlet {n}": Site.of(language, n).page(story) for n in range(50)} | {"clean": story}
    assert groups(corpus) == [sorted(corpus)]
    assert dupdetect.dedup(corpus).groups()[0].canonical == "clean"


def test_in_five_documents_a_page_and_its_article_are_found(language: str) -> None:
    writer = Writer(language, "small")
    stories = [writer.story(5) for _ in range(3)]
    corpus = {f"story {n}": story for n, story in enumerate(stories)}
    corpus |= {"page 0": Site.of(language, "a").page(stories[0]), "page 1": Site.of(language, "a").page(stories[1])}
    assert groups(corpus) == [["page 0", "story 0"], ["page 1", "story 1"]]


def test_pure_prose_is_clustered_as_without(language: str) -> None:
    writer = Writer(language, "prose")
    corpus = {}
    for number in range(12):
        story = writer.story(4)
        corpus |= {f"{number} {share}": writer.edited(story, share) for share in (0, 0.005, 0.02, 0.05, 0.1)}
        corpus[f"{number} part"] = story[: len(story) // 2]
    on, off = (dupdetect.dedup(corpus, boilerplate=chosen) for chosen in (True, False))
    assert near_duplicates(on) == near_duplicates(off)
    assert max(on.matches["boilerplate"].to_pylist()) < 0.5
    assert len(on.groups()) >= 12


@pytest.mark.parametrize("share", [0.1])
def test_edits_are_no_text_of_ones_own(language: str, share: float) -> None:
    """A text, and copies with every tenth word another: the text that they share is not taken for a suit."""
    writer = Writer(language, "edits")
    story = writer.story(8)
    corpus = {"text": story, "page": Site.of(language, "edits").page(story)}
    corpus |= {f"copy {n}": writer.edited(story, share) for n in range(8)}
    assert ["page", "text"] in [[id for id in group if "copy" not in id] for group in groups(corpus)]
    assert groups(corpus) == groups(corpus, boilerplate=False)
    assert max(dupdetect.dedup(corpus).matches["boilerplate"].to_pylist(), default=0.0) < 0.1


def test_a_family_of_copies_stays_one() -> None:
    random.seed(1)
    writer = Writer("en", "family")
    rows = writer.story(6).split(" ")
    corpus = {}
    for number in range(2_000):
        changed = list(rows)
        for place in random.sample(range(len(rows)), 2):
            changed[place] = f"x{number}x{place}"
        corpus[number] = " ".join(changed)
    assert [len(group) for group in dupdetect.dedup(corpus).groups()] == [2_000]


@pytest.mark.slow
def test_a_family_of_ten_thousand_pages_stays_one() -> None:
    """Near copies in one suit, with strangers in it, too."""
    suit, writer = Site.of("en", "family"), Writer("en", "family")
    story = writer.story(8)
    corpus = {number: suit.page(writer.edited(story, 0.003)) for number in range(10_000)}
    corpus |= {10_000 + n: suit.page(Writer("en", n).story()) for n in range(20)}
    assert max(len(group) for group in dupdetect.dedup(corpus).groups()) >= 10_000 - 5
    assert all(group.canonical < 10_000 for group in dupdetect.dedup(corpus).groups())


def test_a_licence_above_other_code_makes_no_copies() -> None:
    """Where it is less than a quarter of the file: code is short lines, as menus are."""
    licence = "\n".join(f"# {Writer('en', n).line(11)}" for n in range(20))
    code = [
        "\n".join(f"def f{n}_{row}(value_{row * n}): return value_{row * n} + {row} * {n}" for row in range(120))
        for n in range(8)
    ]
    corpus = {f"file {n}": f"{licence}\n\n{text}" for n, text in enumerate(code)}
    assert groups(corpus) == []
    assert groups(corpus | {"bare": code[5]}) == [["bare", "file 5"]]


def test_a_signature_below_other_mails_makes_no_copies(language: str) -> None:
    signature = f"--\n{Writer(language, 'signature').menu(6)}\n{Writer(language, 'signature').paragraph(70)}"
    mails = {f"mail {n}": f"{Writer(language, n).story(2, 30)}\n\n{signature}" for n in range(8)}
    quoted = {"answer": f"{Writer(language, 'answer').line(9)}\n\n{mails['mail 1']}"}
    assert groups(mails | quoted) == [["answer", "mail 1"]]


def test_texts_without_much_of_anything_are_taken() -> None:
    corpus = {
        "empty": "",
        "word": "word",
        "words": "word word",
        "lines": "\n" * 90,
        "emoji": "😀\n" * 90,
        "語": "語\n" * 90,
    }
    assert groups(corpus) == groups(corpus, boilerplate=False)
    assert groups(corpus | site("en", "one", 5)) == []


@pytest.mark.parametrize("outlets", [3, 8, 20])
def test_a_short_story_on_many_sites_goes_for_its_clean_text(language: str, outlets: int) -> None:
    """Their pages have more around it than it has, and one notice in common: to one another they are strangers."""
    story, notice = Writer(language, "story").story(2, 40), Writer(language, "notice").paragraph(20)
    pages = {"clean": story}
    for number in range(outlets):
        writer = Writer(language, ("outlet", number))
        teasers = ["\n".join(writer.line(9) for _ in range(7)) for _ in range(2)]
        pages[f"page{number}"] = "\n".join([writer.line(3), notice, writer.menu(16), teasers[0], story, *teasers[1:]])
        pages[f"page{number}"] += f"\n{writer.menu(24)}\n{writer.line(8)}"
    clusters = dupdetect.dedup(pages, workers=1).clusters["cluster"].to_pylist()
    assert clusters == ["clean"] * (outlets + 1)
