"""Texts without meaning in seven languages: words, sentences, lines; how lines are set; collections of texts.

Words are made of parts of each language; the parts are ours. The same random numbers give the same texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product

import corpus
import numpy as np

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
        "ทะ ภู แม่ เมือง ฝน ลม เรือ สะ หิน ไม้ ดอก นก ปลา นา ถนน เมฆ ไฟ ชา ข้าว ครู ตลาด วัด บ้าน ป่า กำ ขวด ฟ้า ลูก ผัก งาน ยาง หมอ "
        "คลอง พริก ซอย แก้ว จาน ธง เกลือ เด็ก โคม ผึ้ง หวาย ส้ม อิฐ ฝ้าย ทอง เสา กล้วย หญ้า",
        "ใหญ่ เก่า ใหม่ สวย ไกล สูง เย็น ร้อน เงียบ เล็ก ขาว ดำ แดง เขียว หลวง น้อย กลาง เหนือ ใต้ ลึก หวาน ยาว กว้าง แคบ หนัก เบา "
        "ช้า เร็ว สด แห้ง เปียก ชื้น อ่อน แข็ง หนา บาง คม มืด ชัด เต็ม ว่าง ดัง ฟรี ตรง งอ กลม แบน ริม ต้น ปลาย",
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


@dataclass
class Collection:
    """Documents, what each is a version of, and what each says.

    Attributes
    ----------
    texts : list of str
    truth : list of int
        Documents of one number are versions of one thing.
    parts : list of dict of int to int
        What a document says beside boilerplate: words of each of its parts. By default one part, the thing itself.
    """

    texts: list[str] = field(default_factory=list)
    truth: list[int] = field(default_factory=list)
    parts: list[dict[int, int]] = field(default_factory=list)

    def add(self, text: str, thing: int, parts: dict[int, int] | None = None) -> None:
        self.texts.append(text)
        self.truth.append(thing)
        self.parts.append(parts or {thing: 1})


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

    def text(self, count: int) -> str:
        """One paragraph."""
        return self.join(self.sentences(count))

    def broken(self, text: str) -> list[str]:
        """Set a paragraph in lines of a width."""
        return list(broken(text, WIDTH if self.language.space else WIDTH // 2))

    def edited(self, text: str) -> str:
        """Put another word for the one in the middle."""
        words = text.split() if self.language.space else list(text)
        words[len(words) // 2] = self.words(1)[0]
        return self.language.space.join(words)


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
