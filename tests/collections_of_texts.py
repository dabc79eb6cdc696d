"""Small collections in which every document says something of its own, and what of it must not be lost."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, NamedTuple

from generated_sites import LANGUAGES, Writer

if TYPE_CHECKING:
    from collections.abc import Callable

EMOJI = ("😀", "🌉", "🚧", "📅", "🔍", "☃️", "👩\u200d🚀", "🇯🇵", "❤️", "🎻")

#: Languages, and English with an emoji behind every third word.
TONGUES = (*LANGUAGES, "emoji")


class Told(NamedTuple):
    """A document and what it alone says."""

    text: str
    own: tuple[str, ...]


Collection = dict[str, Told]


class Tongue:
    """Writes paragraphs, verse, lists, code and tables in a language."""

    def __init__(self, language: str, seed: object) -> None:
        self._writer = Writer("en" if language == "emoji" else language, seed)
        self._emoji = itertools.cycle(EMOJI) if language == "emoji" else None
        self._letters = 3 if language == "th" else 1

    def _decorated(self, text: str) -> str:
        if self._emoji is None:
            return text
        words = text.split(" ")
        return " ".join(f"{word} {next(self._emoji)}" if n % 3 == 2 else word for n, word in enumerate(words))

    def word(self) -> str:
        return self._writer.word()

    def line(self, words: int) -> str:
        return self._decorated(self._writer.line(words))

    def phrase(self, words: int) -> str:
        """Write one line as people do: words of Thai have six letters, not two."""
        return self.line(self._letters * words)

    def phrases(self, lines: int) -> str:
        return "\n".join(self.phrase(4 + n % 5) for n in range(lines))

    def paragraph(self, words: int) -> str:
        return self._decorated(self._writer.paragraph(words))

    def verse(self, lines: int) -> str:
        return "\n".join(self.line(4 + n % 3) for n in range(lines))

    def items(self, lines: int) -> str:
        return "\n".join(f"- {self.line(2 + n % 2)}" for n in range(lines))

    def code(self, lines: int) -> str:
        return "\n".join(f"{self.word()}({self.word()}, {n}) -> [{self.word()}];" for n in range(lines))

    def table(self, lines: int) -> str:
        return "\n".join(f"| {self.word()} {self.word()} | {self.word()} | {n}.{n * 7 % 10} |" for n in range(lines))

    def chat(self, lines: int) -> str:
        return "\n".join(f"<{self.word()}> {self.line(2 + n % 4)}" for n in range(lines))


def told(*parts: str, own: tuple[int, ...]) -> Told:
    """Join parts; the ones numbered are its own."""
    return Told("\n\n".join(parts), tuple(parts[number] for number in own))


def stub_under_a_footer(language: str) -> Collection:
    footer = Tongue(language, "footer").paragraph(61)
    texts = {f"page{n}": told(Tongue(language, n).paragraph(200), footer, own=(0,)) for n in range(8)}
    return texts | {"stub": told(Tongue(language, "stub").paragraph(30), footer, own=(0,))}


def stubs_of_lines_under_a_footer(language: str) -> Collection:
    footer = Tongue(language, "footer").paragraph(61)
    texts = {f"page{n}": told(Tongue(language, n).paragraph(200), footer, own=(0,)) for n in range(4)}
    return texts | {f"stub{n}": told(Tongue(language, f"s{n}").verse(6), footer, own=(0,)) for n in range(2)}


def code_under_a_header(language: str) -> Collection:
    header = Tongue(language, "licence").paragraph(68)
    sizes = [3, 4, 5, 7, 9, 12, 16, 20, 26, 33, 40, 60]
    return {f"file{n}": told(header, Tongue(language, n).code(lines), own=(1,)) for n, lines in enumerate(sizes)}


def common_paragraph(language: str) -> Collection:
    common = Tongue(language, "common").paragraph(40)
    return {f"p{n}": told(common, Tongue(language, n).paragraph(14), own=(1,)) for n in range(8)}


def forms(language: str) -> Collection:
    letter, space = [Tongue(language, f"letter {n}").line(26) for n in range(5)], " "
    texts = {}
    for n in range(12):
        fields = [Tongue(language, f"{n} {m}").line(3) for m in range(5)]
        texts[f"form{n}"] = Told(
            "\n".join(f"{part}{space}{field}." for part, field in zip(letter, fields, strict=True)), tuple(fields)
        )
    return texts


def two_cards(language: str) -> Collection:
    """Two short texts of one wording that differ in three figures, and those are what each is about."""
    wording = [Tongue(language, f"wording {n}").line(15) for n in range(4)]
    texts = {}
    for n in range(2):
        figures = [f"{717 + 101 * n + 13 * m}" for m in range(3)]
        parts = zip(wording, [*figures, ""], strict=True)
        texts[f"card{n}"] = Told("\n".join(f"{part} {figure}" for part, figure in parts), tuple(figures))
    return texts


def clauses(language: str) -> Collection:
    parts = [Tongue(language, f"part {n}").paragraph(45) for n in range(3)]
    one, two = (Tongue(language, f"clause {n}").paragraph(30) for n in range(2))
    return {
        "short": told(*parts, own=()),
        "one": told(parts[0], one, *parts[1:], own=(1,)),
        "two": told(parts[0], one, parts[1], two, parts[2], own=(1, 3)),
    }


def early_and_late(language: str) -> Collection:
    early = [Tongue(language, f"early {n}").paragraph(75) for n in range(2)]
    late = [Tongue(language, f"late {n}").paragraph(60) for n in range(3)]
    return {"early": told(*early, own=(0, 1)), "late": told(*early, *late, own=(0, 1, 2, 3, 4))}


def quoted_mail(language: str) -> Collection:
    mail = [Tongue(language, f"mail {n}").paragraph(60) for n in range(2)]
    answers = [Tongue(language, f"answer {n}").paragraph(40) for n in range(2)]
    quoted = "\n".join(f"> {line}" for line in mail)
    return {"mail": told(*mail, own=(0, 1)), "answer": told(*answers, quoted, own=(0, 1))}


def thread(language: str) -> Collection:
    texts, below = {}, ""
    for n in range(4):
        said = Tongue(language, f"said {n}").paragraph(25 + 10 * n)
        texts[f"mail{n}"] = told(said, below, own=(0,)) if below else told(said, own=(0,))
        below = "\n".join(f"> {line}" for line in texts[f"mail{n}"].text.split("\n"))
    return texts


def short_answers(language: str) -> Collection:
    """Answers of a line or two, with a name below, above a mail that is quoted whole."""
    mail = Tongue(language, "mail").paragraph(75)
    texts = {"mail": told(mail, own=(0,))}
    for n in range(4):
        said, name = Tongue(language, f"said {n}").line(9 + 3 * n), Tongue(language, f"name {n}").verse(4)
        texts[f"answer{n}"] = told(said, name, f"> {mail}", own=(0, 1))
    return texts


def disclaimers(language: str) -> Collection:
    disclaimer = Tongue(language, "disclaimer").paragraph(70)
    return {f"mail{n}": told(Tongue(language, n).paragraph(8 + 6 * n), disclaimer, own=(0,)) for n in range(8)}


def lists_under_a_notice(language: str) -> Collection:
    notice = Tongue(language, "notice").paragraph(60)
    return {f"list{n}": told(notice, Tongue(language, n).items(8 + 4 * n), own=(1,)) for n in range(6)}


def tables_above_a_footer(language: str) -> Collection:
    footer = Tongue(language, "footer").paragraph(60)
    return {f"table{n}": told(Tongue(language, n).table(6 + 4 * n), footer, own=(0,)) for n in range(6)}


def verse_under_a_licence(language: str) -> Collection:
    licence = Tongue(language, "licence").paragraph(80)
    return {f"poem{n}": told(licence, Tongue(language, n).verse(8 + 4 * n), own=(1,)) for n in range(6)}


def one_poem_and_a_bare_licence(language: str) -> Collection:
    licence, poem = Tongue(language, "licence").paragraph(80), Tongue(language, "poem").verse(12)
    return {"licence": told(licence, own=(0,)), "poem": told(licence, poem, own=(0, 1))}


def one_program_and_a_bare_licence(language: str) -> Collection:
    licence, program = Tongue(language, "licence").paragraph(80), Tongue(language, "program").code(12)
    return {"licence": told(licence, own=(0,)), "program": told(licence, program, own=(0, 1))}


def one_table_and_its_heading(language: str) -> Collection:
    heading, table = Tongue(language, "heading").paragraph(60), Tongue(language, "table").table(12)
    return {"heading": told(heading, own=(0,)), "table": told(heading, table, own=(0, 1))}


def chats_under_a_notice(language: str) -> Collection:
    notice = Tongue(language, "notice").paragraph(50)
    return {f"chat{n}": told(notice, Tongue(language, n).chat(10 + 5 * n), own=(1,)) for n in range(6)}


def few_pages_of_a_site(language: str) -> Collection:
    top = "\n".join([Tongue(language, "menu").verse(30), Tongue(language, "teasers").paragraph(150)])
    below = "\n".join([Tongue(language, "legal").paragraph(150), Tongue(language, "links").verse(30)])
    return {f"page{n}": told(top, Tongue(language, n).paragraph(100), below, own=(1,)) for n in range(3)}


def numbered_reports(language: str) -> Collection:
    """Ten reports of one wording that differ in a dozen words."""
    parts = [Tongue(language, f"report {n}").line(9) for n in range(12)]
    texts = {}
    for n in range(10):
        figures = [f"{1000 + 37 * n + m}" for m in range(12)]
        lines = [f"{part} {figure}." for part, figure in zip(parts, figures, strict=True)]
        texts[f"report{n}"] = Told("\n".join(lines), tuple(figures))
    return texts


def credits_above_a_licence(language: str) -> Collection:
    """Notices of one licence: names of their own above it, in lines as short as those of a menu."""
    licence, texts = Tongue(language, "licence").paragraph(320), {}
    for n in range(5):
        names, packagers = (
            Tongue(language, f"{who} {n}").verse(lines) for who, lines in (("by", 4 + 9 * n), ("for", 2))
        )
        texts[f"notice{n}"] = told(names, licence, packagers, own=(0, 2))
    return texts


def two_notices_of_one_licence(language: str) -> Collection:
    licence, texts = Tongue(language, "licence").paragraph(320), {}
    for name, lines in (("short", 3), ("long", 40)):
        above, below = (Tongue(language, f"{name} {part}").verse(lines) for part in ("names", "packagers"))
        texts[name] = told(above, licence, below, own=(0, 2))
    return texts


def records_with_one_abstract(language: str) -> Collection:
    abstract, texts = Tongue(language, "abstract").paragraph(300), {}
    for n in range(4):
        above, below = (Tongue(language, f"{part} {n}").verse(2 + 8 * n) for part in ("fields", "keywords"))
        texts[f"record{n}"] = told(above, abstract, below, own=(0, 2))
    return texts


def _page(language: str, name: object, *parts: str, own: tuple[int, ...]) -> Told:
    """Put parts between the menu and the footer of a site."""
    menu, footer = (Tongue(language, (name, side)) for side in ("menu", "footer"))
    around = ("\n".join(menu.line(2) for _ in range(40)), "\n".join(footer.line(2) for _ in range(24)))
    return told(around[0], *parts, around[1], own=tuple(number + 1 for number in own))


def _story(language: str, name: object, paragraphs: int = 5, words: int = 60) -> str:
    tongue = Tongue(language, name)
    return "\n\n".join(tongue.paragraph(words) for _ in range(paragraphs))


def two_stories_on_one_page(language: str) -> Collection:
    one, two = _story(language, "one"), _story(language, "two")
    return {"one": told(one, own=(0,)), "page": _page(language, "site", two, one, own=(0, 1))}


def a_short_story_above_a_long_one(language: str) -> Collection:
    one, two = _story(language, "one", 2), _story(language, "two", 16, 75)
    return {"one": told(one, own=(0,)), "page": _page(language, "site", one, two, own=(0, 1))}


def many_pages_of_two_stories(language: str) -> Collection:
    one = _story(language, "one")
    texts = {"one": told(one, own=(0,)), "page": _page(language, "site", one, _story(language, "two"), own=(0, 1))}
    for n in range(12):
        stories = (_story(language, (n, name)) for name in ("upper", "lower"))
        texts[f"page{n}"] = _page(language, "site", *stories, own=(0, 1))
    return texts


def an_article_and_what_readers_say(language: str) -> Collection:
    article, readers = _story(language, "article"), [Tongue(language, ("reader", n)) for n in range(12)]
    comments = "\n".join(f"{reader.line(2)}\n{reader.paragraph(30)}" for reader in readers)
    return {"article": told(article, own=(0,)), "page": _page(language, "site", article, comments, own=(0, 1))}


def two_stories_in_lines_of_one_width(language: str) -> Collection:
    one, two = ("\n".join(Tongue(language, (name, n)).line(11) for n in range(24)) for name in ("one", "two"))
    return {"one": told(one, own=(0,)), "page": _page(language, "site", two, one, own=(0, 1))}


def a_blank_form_and_filled_ones(language: str) -> Collection:
    """Every question is a paragraph, every answer a short line below it."""
    questions = [Tongue(language, ("question", n)).paragraph(40) for n in range(12)]
    texts = {"blank": told(*questions, own=())}
    for form in range(6):
        lines = [Tongue(language, (form, n)).line(9) for n in range(14)]
        answered = [part for pair in zip(questions, lines[2:], strict=True) for part in pair]
        texts[f"form{form}"] = told(lines[0], *answered, lines[1], own=(0, *range(2, 25, 2), 25))
    return texts


def a_page_of_short_sentences_and_a_note(language: str) -> Collection:
    note = Tongue(language, "note").paragraph(60)
    sentences = "\n".join(Tongue(language, ("sentence", n)).line(11) for n in range(100))
    return {"note": told(note, own=(0,)), "page": _page(language, "site", note, sentences, own=(0, 1))}


def remarks_between_the_paragraphs_of_a_law(language: str) -> Collection:
    law = [Tongue(language, ("law", n)).paragraph(60) for n in range(10)]
    remarks = [Tongue(language, ("remark", n)).paragraph(20) for n in range(10)]
    with_remarks = [part for pair in zip(law, remarks, strict=True) for part in pair]
    page = _page(language, "site", *with_remarks, own=tuple(range(20)))
    return {"law": told(*law, own=tuple(range(10))), "page": page}


def many_comments_with_names_and_dates(language: str) -> Collection:
    article, readers = _story(language, "article"), [Tongue(language, ("reader", n)) for n in range(60)]
    comments = "\n".join(f"{reader.line(2)}\n{reader.line(3)}\n{reader.paragraph(50)}" for reader in readers)
    return {"article": told(article, own=(0,)), "page": _page(language, "site", article, comments, own=(0, 1))}


def two_stories_of_which_one_is_one_line(language: str) -> Collection:
    one, two = Tongue(language, "one").paragraph(500), _story(language, "two", 10, 50)
    return {"one": told(one, own=(0,)), "page": _page(language, "site", two, one, own=(0, 1))}


def sentences_added_to_paragraphs(language: str) -> Collection:
    """Of a long article on its page, where one paragraph has a sentence more."""
    paragraphs = [Tongue(language, ("article", n)).paragraph(100) for n in range(10)]
    more = Tongue(language, "more").paragraph(40)
    edited = f"{paragraphs[5]} {more}"
    page = _page(language, "site", *paragraphs[:5], edited, *paragraphs[6:], own=())
    page = _page(language, "frame", page.text, own=())  # less than four fifths of it are the article
    return {"article": told(*paragraphs, own=tuple(range(10))), "page": Told(page.text, (edited,))}


def answers_of_two_words(language: str) -> Collection:
    """Sheets of sixty answers, each one of two words."""
    tongue, texts = Tongue(language, "answers"), {}
    answers = tongue.paragraph(8).split(" ")[:2] if " " in tongue.line(8) else list(tongue.line(8)[:2])
    for sheet in range(12):
        chosen = random.Random(f"{language} {sheet}")
        text = " ".join(chosen.choice(answers) for _ in range(60))
        texts[f"sheet{sheet}"] = Told(text, (text,))
    return texts


def phrases_behind_questions(language: str) -> Collection:
    """Questionnaires: behind each question one of four phrases, which all of them have, but behind others."""
    questions = [Tongue(language, ("question", n)).line(10) for n in range(12)]
    phrases = [Tongue(language, ("phrase", n)).line(7) for n in range(4)]
    texts = {}
    for form in range(10):
        chosen = random.Random(f"{language} {form}")
        lines = tuple(f"{question}: {chosen.choice(phrases)}" for question in questions)
        texts[f"form{form}"] = Told("\n".join(lines), lines)
    return texts


def rows_paired_otherwise(language: str) -> Collection:
    """Lists of the same names and the same sums, each with another's."""
    names = [Tongue(language, ("name", n)).line(6) for n in range(12)]
    sums = [Tongue(language, ("sum", n)).line(6) for n in range(12)]
    texts = {}
    for number in range(4):
        lines = tuple(f"{name}, {sums[(n + 3 * number) % 12]}" for n, name in enumerate(names))
        texts[f"list{number}"] = Told("\n".join(lines), lines)
    return texts


def a_recipe_and_its_method_alone(language: str) -> Collection:
    method, ingredients = _story(language, "method", 2, 40), Tongue(language, "ingredients").items(14)
    return {"method": told(method, own=(0,)), "recipe": told(ingredients, method, own=(0, 1))}


def a_register_around_a_note(language: str) -> Collection:
    note = Tongue(language, "note").paragraph(60)
    upper, lower = (Tongue(language, side).items(300) for side in ("upper", "lower"))
    return {"note": told(note, own=(0,)), "register": told(upper, note, lower, own=(0, 2))}


def the_page_of_an_updated_story(language: str) -> Collection:
    story = [Tongue(language, ("story", n)).paragraph(60) for n in range(6)]
    update = [Tongue(language, ("update", n)).paragraph(90) for n in range(5)]
    both = [part for pair in zip(story, update, strict=False) for part in pair]
    page = _page(language, "site", *both, story[-1], own=tuple(range(11)))
    return {"story": told(*story, own=tuple(range(6))), "page": page}


def theses_with_a_chapter_each(language: str) -> Collection:
    matter = [Tongue(language, ("matter", n)).paragraph(100) for n in range(40)]
    texts = {}
    for thesis in range(2):
        chapter = Tongue(language, ("chapter", thesis)).paragraph(320)
        texts[f"thesis{thesis}"] = told(*matter[:20], chapter, *matter[20:], own=(20,))
    return texts


def adverts_around_what_the_company_says(language: str) -> Collection:
    """What is asked for and what is offered, in short lines around a text that all have, and that is there alone."""
    company = _story(language, "company", 2, 45)
    texts = {"company": told(company, own=(0,))}
    for n in range(5):
        asked, offered = (Tongue(language, (side, n)).phrases(9) for side in ("asked", "offered"))
        texts[f"advert{n}"] = told(asked, company, offered, own=(0, 2))
    return texts


def a_chat_around_a_letter(language: str) -> Collection:
    letter = Tongue(language, "letter").paragraph(80)
    chat = Tongue(language, "chat")
    before, after = ("\n".join(f"<{chat.word()}> {chat.phrase(2 + n % 4)}" for n in range(14)) for _ in range(2))
    return {"letter": told(letter, own=(0,)), "chat": told(before, letter, after, own=(0, 2))}


def verse_around_a_reading(language: str) -> Collection:
    reading = Tongue(language, "reading").paragraph(90)
    before, after = (Tongue(language, side).phrases(10) for side in ("before", "after"))
    return {"reading": told(reading, own=(0,)), "service": told(before, reading, after, own=(0, 2))}


def an_examination_and_its_text(language: str) -> Collection:
    passage, questions = _story(language, "passage", 2, 50), Tongue(language, "questions")
    lines = [questions.phrases(count) for count in (4, 14)]
    return {"passage": told(passage, own=(0,)), "examination": told(lines[0], passage, lines[1], own=(0, 2))}


def a_list_below_a_text_with_a_heading(language: str) -> Collection:
    text, heading, items = (Tongue(language, part) for part in ("text", "heading", "items"))
    body = text.paragraph(120)
    listed = "\n".join(items.line(2) for _ in range(20))
    return {"text": told(body, own=(0,)), "list": told(heading.line(6), body, listed, own=(0, 2))}


def releases_of_a_changelog(language: str) -> Collection:
    """Each with all entries of those before it: the last one has all."""
    entries = ["\n".join(Tongue(language, (n, k)).line(9) for k in range(5)) for n in range(40)]
    return {f"release{n}": told(*entries[n::-1], own=(0,)) for n in range(20, 40)}


def a_report_with_a_table_more(language: str) -> Collection:
    parts = [Tongue(language, ("part", n)).paragraph(60) for n in range(8)]
    table = "\n".join(Tongue(language, ("row", n)).line(4) for n in range(16))
    later = told(*parts[:4], table, *parts[4:], own=(4,))
    return {"early": told(*parts, own=()), "late": later}


def answers_with_a_signature(language: str) -> Collection:
    """Answers above a mail that is quoted whole, with the lines of a signature, and those of a list below it all."""
    mail, texts = _story(language, "mail", 2, 45), {}
    texts["mail"] = told(mail, own=(0,))
    for n in range(3):
        tongue = Tongue(language, ("answer", n))
        said, quoted = tongue.phrase(20), "\n".join(f"> {line}" for line in mail.split("\n"))
        signature = "\n".join(tongue.phrase((1, 3, 2, 4)[line % 4]) for line in range(10))
        footer = "\n".join(tongue.phrase(4) for _ in range(3))
        texts[f"answer{n}"] = told(said, signature, quoted, footer, own=(0, 1, 3))
    return texts


def a_scene_around_a_speech(language: str) -> Collection:
    """Who speaks stands in a line above what is said."""
    speech, names = Tongue(language, "speech").paragraph(150), Tongue(language, "names")
    speakers = [names.word() for _ in range(4)]

    def talk(side: str) -> str:
        spoken = Tongue(language, side)
        return "\n".join(f"{speakers[n % 4]}\n{spoken.phrase(6 + n % 4)}" for n in range(16))

    before, after = talk("before"), talk("after")
    return {"speech": told(speech, own=(0,)), "scene": told(before, speech, after, own=(0, 2))}


def a_test_of_four_answers_each(language: str) -> Collection:
    passage = _story(language, "passage", 2, 60)

    def asked(side: str, questions: int) -> str:
        tongue = Tongue(language, side)
        answers = ("\n".join(f"{letter}) {tongue.word()}" for letter in "ABCD") for _ in range(questions))
        return "\n".join(f"{tongue.phrase(7)}\n{four}" for four in answers)

    before, after = asked("before", 2), asked("after", 8)
    return {"passage": told(passage, own=(0,)), "test": told(before, passage, after, own=(0, 2))}


KINDS: tuple[Callable[[str], Collection], ...] = (
    stub_under_a_footer,
    stubs_of_lines_under_a_footer,
    code_under_a_header,
    common_paragraph,
    forms,
    two_cards,
    clauses,
    early_and_late,
    quoted_mail,
    thread,
    short_answers,
    disclaimers,
    lists_under_a_notice,
    tables_above_a_footer,
    verse_under_a_licence,
    one_poem_and_a_bare_licence,
    one_program_and_a_bare_licence,
    one_table_and_its_heading,
    chats_under_a_notice,
    few_pages_of_a_site,
    numbered_reports,
    credits_above_a_licence,
    two_notices_of_one_licence,
    records_with_one_abstract,
    two_stories_on_one_page,
    a_short_story_above_a_long_one,
    many_pages_of_two_stories,
    an_article_and_what_readers_say,
    two_stories_in_lines_of_one_width,
    a_blank_form_and_filled_ones,
    a_page_of_short_sentences_and_a_note,
    remarks_between_the_paragraphs_of_a_law,
    many_comments_with_names_and_dates,
    two_stories_of_which_one_is_one_line,
    sentences_added_to_paragraphs,
    answers_of_two_words,
    phrases_behind_questions,
    rows_paired_otherwise,
    a_recipe_and_its_method_alone,
    a_register_around_a_note,
    the_page_of_an_updated_story,
    theses_with_a_chapter_each,
    adverts_around_what_the_company_says,
    a_chat_around_a_letter,
    verse_around_a_reading,
    an_examination_and_its_text,
    a_list_below_a_text_with_a_heading,
    releases_of_a_changelog,
    a_report_with_a_table_more,
    answers_with_a_signature,
    a_scene_around_a_speech,
    a_test_of_four_answers_each,
)


def lost(told: Collection, canonical: dict[str, str]) -> dict[str, str]:
    """Give each removed document that says something which its canonical does not say: {document: canonical}."""
    return {
        name: kept
        for name, kept in canonical.items()
        if not all(piece.replace("> ", "") in told[kept].text.replace("> ", "") for piece in told[name].own)
    }
