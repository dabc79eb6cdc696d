"""A corpus of all that a run has to do with, for drivers whose results are compared."""

import random

import pyarrow as pa
from families import near_copies
from generated_sites import Writer, mixture


def corpus():
    """Sites, stories on several pages, copies, a family with a hot key, and rows that cannot be used."""
    rows = [{"id": str(row["id"]), "text": str(row["text"])} for row in mixture()]
    rows += [{"id": f"family {n}", "text": text} for n, text in enumerate(near_copies(30, length=80))]
    rows += [{"id": f"again {n}", "text": row["text"].upper()} for n, row in enumerate(rows[::9])]
    rows += [{"id": f"a line {n}", "text": row["text"].replace("\n", " ")} for n, row in enumerate(rows[::7])]
    rows += [{"id": f"blank {n}", "text": " "[:n]} for n in range(3)]
    rows += [{"id": f"symbols {n}", "text": text} for n, text in enumerate(["☂☂ ☂", "★!", "☂☂ ☂", "★", "☂☂ ☂"])]
    random.Random(4).shuffle(rows)
    days = [f"2024-05-{1 + n % 28:02}" for n in range(len(rows))]
    return pa.table({**{name: [row[name] for row in rows] for name in ("id", "text")}, "date": days})


def in_one_line_and_in_many(page):
    """Return an article, its page under this id, and the words of that page in one line."""
    writer = Writer("en", "one line")
    article = writer.story(3)
    lines = f"{writer.menu(20)}\n\n{article}\n\n{writer.menu(20)}"
    return {"article": article, page: lines, "words": lines.replace("\n", " ")}


def with_rejects(table):
    """Return a table with rows that have no text, no id, or an id that another row has."""
    more = {"id": ["x", None, "family 1"], "text": [None, "a text without an id", "an id twice"], "date": [None] * 3}
    return pa.concat_tables([table.slice(0, 5), pa.table(more, table.schema), table.slice(5)])


def sources(table):
    """Return a table with columns by which documents may be compared or not, some of them null."""
    n = range(table.num_rows)
    site = pa.array([None if row % 11 == 0 else f"site {row * 7 % 3}" for row in n])
    return table.append_column("site", site).append_column("part", pa.array([row % 2 for row in n]))
