"""Keys that are looked up are those that were stored: in the log, in segments, on many pages, of very many texts."""

import numpy as np
import pytest

from dupdetect.index import keys
from dupdetect.index.keys import KeyTable
from dupdetect.index.sqlite import SqliteStore

BANDS = 3


@pytest.fixture
def session(tmp_path):
    store = SqliteStore(tmp_path / "x.dupindex", read_only=False, wait=1.0)
    store.create()
    with store.write() as session:
        yield session
    store.close()


@pytest.mark.parametrize(("pages", "room"), [(2048, 64), (3, 64), (2048, -50)])
def test_what_was_stored_is_found_and_nothing_else(session, monkeypatch, pages, room):
    """With few pages at a time, and with less room than there are pages, too."""
    monkeypatch.setattr(keys, "PAGES", pages)
    monkeypatch.setattr(keys, "ROOM", room)
    monkeypatch.setattr(keys, "LOG_TEXTS", 40)
    chance, table = np.random.default_rng(7), KeyTable(BANDS, 500)
    some = chance.integers(0, 1 << 64, 900, np.uint64)
    some[:5] = [0, 1, 2**64 - 1, 2**63, 5]
    stored = {(int(key), False): set() for key in some}
    for first in range(1, 1500, 300):
        texts = list(range(first, first + 300))
        rows = [np.concatenate([chance.choice(some, BANDS), np.unique(chance.choice(some, 12))]) for _ in texts]
        rows = [np.append(row, some[7]) if some[7] not in row[BANDS:] else row for row in rows]  # which all have
        for text, row in zip(texts, rows, strict=True):
            for place, key in enumerate(row.tolist()):
                stored.setdefault((key, place < BANDS), set()).add(text)
        if first == 1201:  # one by one: some go into a segment, and the last ones stay in the log
            for text, row in zip(texts, rows, strict=True):
                table.add(session, [text], [row])
        else:
            table.add(session, texts, rows)
    wanted = np.unique(np.concatenate([some, chance.integers(0, 1 << 64, 100, np.uint64)]))
    for is_band in (False, True):
        found = table.look_up(session, wanted, np.full(len(wanted), is_band))
        pairs = set(zip(wanted[found.keys].tolist(), found.texts.tolist(), strict=True))
        assert pairs == {(key, text) for (key, band), texts in stored.items() if band == is_band for text in texts}
    assert session.row("SELECT count(*) FROM segments")[0] > 4
    assert session.row("SELECT count(*) FROM log")[0] > 0


def test_segments_are_few_and_their_keys_are_seldom_written_again(session, monkeypatch):
    """When small ones are merged, larger ones before them are not, unless all behind them are nearly as many keys."""
    monkeypatch.setattr(keys, "SMALL", 4000)
    written = []
    write = keys._write
    monkeypatch.setattr(keys, "_write", lambda *given: (written.append(given[3]), write(*given)))
    table, chance, most = KeyTable(BANDS, 500), np.random.default_rng(7), 0
    for first in range(1, 150 * 300, 300):
        texts = list(range(first, first + 300))
        session.insert(
            "texts",
            ("text", "digest", "words", "fingerprints", "shingles", "document", "canonical", "is_digest"),
            [(text, text.to_bytes(16, "little"), 1, 0, 1, text, text, 0) for text in texts],
        )
        table.add(session, texts, list(chance.integers(0, 1 << 64, (300, BANDS), np.uint64)))
        while due := table.due(session):
            table.merge(session, due)
        most = max(most, session.row("SELECT count(*) FROM segments")[0])
    assert most <= 12
    assert sum(written) < 6 * 150 * 300 * BANDS
    assert session.row("SELECT sum(entries), sum(texts) FROM segments") == (150 * 300 * BANDS, 150 * 300)
