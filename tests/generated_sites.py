"""Pages that tests make up: sites of several languages, stories, and what stands around them."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

#: Words of which texts are made; those of scripts without spaces are joined, and each character is a word.
WORDS = {
    "en": "harbour ferry council bridge winter market baker orchard lantern river school engine garden mayor "
    "glacier train museum island storm teacher signal copper valley quarry violin meadow tunnel harvest "
    "clinic lighthouse walked opened counted repaired promised painted found moved closed measured after "
    "before under across without",
    "ru": "гавань паром совет мост зима рынок пекарь сад фонарь река школа двигатель мэр ледник поезд музей "
    "остров буря учитель сигнал медь долина карьер скрипка луг туннель урожай клиника маяк шёл открыл "
    "считал чинил обещал красил нашёл двигал закрыл мерил после перед под через без",
    "ar": "ميناء عبارة مجلس جسر شتاء سوق خباز بستان فانوس نهر مدرسة محرك حديقة عمدة جليد قطار متحف جزيرة عاصفة "
    "معلم إشارة نحاس واد مقلع كمان مرج نفق حصاد عيادة منارة مشى فتح عد أصلح وعد رسم وجد نقل أغلق قاس بعد "
    "قبل تحت عبر دون",
    "hi": "बंदरगाह नाव परिषद पुल सर्दी बाज़ार बेकर बाग लालटेन नदी विद्यालय इंजन बगीचा महापौर हिमनद रेल "
    "संग्रहालय द्वीप तूफान शिक्षक संकेत तांबा घाटी खदान वायलिन मैदान सुरंग फसल चिकित्सालय चला खोला गिना "
    "सुधारा कहा रंगा मिला हटाया बंद नापा बाद पहले नीचे पार",
    "zh": "港口 渡轮 议会 桥梁 冬天 市场 面包 果园 灯笼 河流 学校 引擎 花园 市长 冰川 火车 博物馆 岛屿 风暴 "
    "教师 信号 铜矿 山谷 采石 提琴 草地 隧道 收成 诊所 灯塔 走过 打开 数着 修理 答应 油漆 找到 搬走 关闭 "
    "测量 之后 以前 下面 穿过 没有",
    "ja": "港 渡し船 議会 橋 冬 市場 パン屋 果樹園 提灯 川 学校 エンジン 庭 市長 氷河 列車 博物館 島 嵐 教師 "
    "信号 銅 谷 採石場 バイオリン 草原 トンネル 収穫 診療所 灯台 歩いた 開いた 数えた 直した 約束 塗った "
    "見つけ 動かす 閉じた 測った 後に 前に 下で",
    "th": "ท่าเรือ เรือ สภา สะพาน ฤดูหนาว ตลาด คนอบขนม สวน โคมไฟ แม่น้ำ โรงเรียน เครื่อง นายก ธารน้ำแข็ง รถไฟ "
    "พิพิธภัณฑ์ เกาะ พายุ ครู สัญญาณ ทองแดง หุบเขา เหมือง ไวโอลิน ทุ่งหญ้า อุโมงค์ เก็บเกี่ยว คลินิก "
    "ประภาคาร เดิน เปิด นับ ซ่อม สัญญา ทาสี พบ ย้าย ปิด วัด หลัง ก่อน ใต้",
}
LANGUAGES = tuple(WORDS)
WITHOUT_SPACES = ("zh", "ja", "th")


class Writer:
    """Writes what nobody wrote before: lines and paragraphs of a language, the same for the same seed.

    In scripts without spaces, where a character is half a word, a word is two characters drawn at random: of so few
    words as there are here any two texts would share runs of five characters.
    """

    def __init__(self, language: str, seed: object) -> None:
        self._random = random.Random(f"{language} {seed}")
        self._space = "" if language in WITHOUT_SPACES else " "
        self._vocabulary = WORDS[language].split() if self._space else sorted(set(WORDS[language]) - {" "})

    def word(self) -> str:
        """Draw one word."""
        return "".join(self._random.choices(self._vocabulary, k=1 if self._space else 2))

    def line(self, count: int) -> str:
        """Write one line."""
        return self._space.join(self.word() for _ in range(count))

    def paragraph(self, count: int) -> str:
        """Write one line that ends in a full stop."""
        return self.line(count) + ("." if self._space else "。")

    def menu(self, entries: int) -> str:
        """Write short lines."""
        return "\n".join(self.line(1 + entry % 2) for entry in range(entries))

    def story(self, paragraphs: int = 3, count: int = 40) -> str:
        """Write a title and paragraphs."""
        return "\n\n".join([self.line(6), *(self.paragraph(count) for _ in range(paragraphs))])

    def edited(self, text: str, share: float) -> str:
        """Replace this share of the words of a text, in scripts without spaces of its pairs of characters."""
        return re.sub(
            r"[^\s.。]+" if self._space else r"[^\s.。]{1,2}",
            lambda word: self.word() if self._random.random() < share else word[0],
            text,
        )


@dataclass(frozen=True)
class Site:
    """What comes with each page of a site: lines above a story, and below it."""

    above: str
    below: str

    @classmethod
    def of(cls, language: str, name: object, *, above: int = 1, below: int = 2, size: int = 40) -> Site:
        """Make up a site: menus, teasers of `size` words above and below the story, and a legal notice."""
        writer = Writer(language, f"boilerplate {name}")
        teasers = [writer.paragraph(size) for _ in range(above + below)]
        notice = writer.paragraph(60)
        top = "\n".join([writer.menu(12), *teasers[:above]])
        return cls(top, "\n".join([*teasers[above:], writer.menu(12), notice]))

    def page(self, story: str) -> str:
        """Put a story into a page of the site."""
        return f"{self.above}\n\n{story}\n\n{self.below}"


def site(language: str, name: object, stories: int) -> dict[str, str]:
    """Make up a site: so many pages by id, each of a story of its own."""
    made = Site.of(language, name)
    numbers = range(stories)
    return {f"{name}-{number}": made.page(Writer(language, f"{name} {number}").story()) for number in numbers}


SENTENCES = {
    "en": "The harbour bridge was closed on Monday after cracks were found",
    "zh": "港口大桥在检查发现裂缝之后于星期一关闭",
    "ja": "港の橋は点検でひびが見つかり月曜日に閉鎖された",
    "th": "สะพานท่าเรือถูกปิดเมื่อวันจันทร์หลังพบรอยร้าว",
    "ar": "أُغلِقَ جسر الميناء يوم الاثنين بعد العثور على شقوق",
    "ru": "Портовый мост закрыли в понедельник после того, как нашли трещины",
    "hi": "बंदरगाह का पुल सोमवार को दरारें मिलने के बाद बंद कर दिया गया",
    "emoji": "🌉 closed 🚧 on Monday 📅 after cracks 🔍 were found 😟",
}


def mixture(seed: int = 3) -> list[dict[str, object]]:
    """Make up copies, edits and quotations in many scripts, a site, empty texts, and rows that are no documents."""
    rng = random.Random(seed)
    rows: list[dict[str, object]] = [
        {"id": name, "text": text, "n": n} for n, (name, text) in enumerate(site("en", seed, 12).items())
    ]
    for name, sentence in SENTENCES.items():
        body = "\n".join(f"{sentence} {rng.random()} {word}" for word in rng.sample(range(10**6), 12))
        rows += [
            {"id": name, "text": body, "n": 1},
            {"id": f"{name}, again", "text": body, "n": 2},
            {"id": f"{name}, edited", "text": body.replace("3", "4", 2), "n": 3},
            {"id": f"{name}, inside", "text": f"before\n{body}\nbehind " * 2, "n": 4},
            {"id": f"{name}, alone", "text": sentence, "n": None},
        ]
    rows += [{"id": f"empty {n}", "text": "", "n": n} for n in range(5)]
    rows += [{"id": "en", "text": "its id was there before", "n": 9}, {"id": "null", "text": None, "n": 9}]
    rng.shuffle(rows)
    return rows
