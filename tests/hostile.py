"""Texts and names that mean harm to a page: scripts, half a tag, directions of writing, what is no character.

Written for these tests; each is a pure function of its number.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dupdetect._storage.checksums import checksum

ATTACKS = (
    "<script>window.hit=1</script>",
    "</script><script>window.hit=2</script>",
    "</SCRIPT\t><img src=x onerror='window.hit=3'>",
    "<!--<script>window.hit=4",
    "--><svg onload=window.hit=5>",
    "</style><style>*{display:none}</style>",
    "</title></textarea></noscript><script>window.hit=6</script>",
    "<iframe srcdoc='<script>parent.hit=7</script>'></iframe>",
    "<base href='https://example.org/'><link rel=stylesheet href=//example.org/a.css>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "<form action=https://example.org><button>press</button></form>",
    "\"'><b onmouseover=window.hit=8 style=position:fixed;inset:0>",
    "javascript:window.hit=9",
    "<a href='javascript:window.hit=10'>here</a>",
    "{{ 7 * 7 }} {% raw %} {# note #} ${7*7} <%= 7*7 %>",
    "]]> <![CDATA[ &lt;script&gt; &#60;script&#62; &amp;amp; &nosuch; &#0;",
    "\\u003cscript\\u003e \\x3cscript\\x3e \\",
    "__proto__ constructor toString hasOwnProperty",
    "\u2028window.hit=11\u2029",
    "\u202egnp.exe\u202d \u2066left\u2067right\u2068first\u2069 \u202a\u202b\u202c",
    "\x00\x01\x07\x08\x0b\x0c\x1b[31mred\x1b[0m\x7f\x85\x9b",
    "\ufeff\u200b\u200c\u200d\u2060\ufffe\uffff\U000e0041\U0001fffe",
    "e" + "\u0301\u0489\u20dd" * 60,
    "w" * 3_000,
    "\r\n\r\r\n\n\t" * 20,
    "👩‍👩‍👧‍👦🏴󠁧󠁢󠁷󠁬󠁳󠁿🇩🇪👍🏽" * 9,
    "<plaintext>",
    "<xmp><listing><noembed><template><math><mtext><table><mglyph><style>",
    "<input autofocus onfocus=window.hit=12>",
    "<details open ontoggle=window.hit=13>",
)

SENTENCES = (
    "The ferryman of Halm had painted his boat green before anyone asked him to, and would not say why.",
    "На мельнице у старой запруды третью неделю не могут починить колесо, и муку возят из города на подводах.",
    "وقال حارس المنارة القديمة إن المصباح سيبقى مطفأ حتى يصل الزيت مع السفينة القادمة من الجزيرة الكبيرة.",
    "पहाड़ी गाँव के डाकिए ने बताया कि बर्फ़ के कारण चिट्ठियाँ दो सप्ताह तक नीचे के स्कूल में रखी रहेंगी।",
    "灯台守は霧の夜だけ鐘を二度鳴らし、沖の舟に帰り道を知らせることにしていると話した。",
    "คนเฝ้าประภาคารเก่าบอกว่าจะจุดตะเกียงอีกครั้งเมื่อเรือจากเกาะใหญ่มาถึงพร้อมน้ำมันในฤดูหน้า",
    "Rien ne presse, répondit la meunière, car la rivière elle-même a mis mille ans à venir jusqu'ici.",
)


def hostile(number: int, size: int = 4) -> str:
    """Return a text of some attacks and some sentences."""
    chance = random.Random(number)
    parts = [ATTACKS[number % len(ATTACKS)], *chance.choices(ATTACKS, k=size), *chance.choices(SENTENCES, k=2)]
    chance.shuffle(parts)
    text = chance.choice(("", " ", "\n", "\n\n")).join(parts)
    start, end = sorted((chance.randrange(len(text)), chance.randrange(len(text))))
    return text[:start] + text[start:end] + text[start : chance.choice((end, len(text)))]  # cut anywhere, perhaps twice


def write_run(folder: Path, pairs: int) -> Path:
    """Write the output of a run of which everything is hostile: `pairs` clusters of two, named after what they hold."""
    texts = [f"{hostile(number)} {each}" for number in range(pairs) for each in ("one", "two")]
    ids = [f"{number}{ATTACKS[number // 2 % len(ATTACKS)][:200]}" for number in range(2 * pairs)]
    column = [
        {"id": id, "text": text, "source": ATTACKS[row % 7]}
        for row, (id, text) in enumerate(zip(ids, texts, strict=True))
    ]
    folder.mkdir(parents=True)
    source = folder.parent / "</script><b>input.jsonl".replace("/", "\u2215")
    source.write_text("".join(json.dumps(row) + "\n" for row in column), encoding="utf-8")
    kept = [row % 2 == 0 for row in range(2 * pairs)]
    shares: dict[str, Any] = {
        name: [None if stays else 0.7 + 0.3 * row / len(kept) for row, stays in enumerate(kept)]
        for name in ("score", "jaccard", "containment", "lost_share")
    }
    shares["lost"] = [None if stays else row for row, stays in enumerate(kept)]
    clusters = {
        "id": ids,
        "cluster": [ids[row - row % 2] for row in range(len(ids))],
        "canonical": kept,
        "relation": [None if stays else ("identical", "contains")[row // 2 % 2] for row, stays in enumerate(kept)],
    }
    pq.write_table(pa.table(clusters | shares), folder / "clusters.parquet")
    pq.write_table(pa.Table.from_pylist(column[::2]), folder / "kept.parquet")
    digests = [{"id": id, "cluster": ids[0], "containment": 1.0, "share": 0.25} for id in ids[:60:2]]
    pq.write_table(pa.Table.from_pylist(digests), folder / "digests.parquet")
    empty = pa.table({"shingle": pa.array([], pa.uint64()), "margin": pa.array([], pa.int32())})
    pq.write_table(empty, folder / "boilerplate.parquet")
    rejects = [{"file": ATTACKS[row % 9], "row": row, "reason": ATTACKS[row % len(ATTACKS)]} for row in range(60)]
    (folder / "rejects.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rejects), encoding="utf-8")
    manifest = {
        "settings": {"threshold": 0.6, "containment": 0.6, "canonical": ATTACKS[0]},
        "fingerprint": ATTACKS[1],
        "bands": {"bands": 14, "rows": 9},
        "versions": {"dupdetect": ATTACKS[3], ATTACKS[5]: ATTACKS[6]},
        "inputs": [str(source)],
        "input_checksums": [checksum(source)],  # it is the run's own: its texts are shown
        "counts": {"digests": 30},
        "timings": {ATTACKS[2]: 1.5, "read": 0.5},
        "caps": {ATTACKS[10]: ATTACKS[11]},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
