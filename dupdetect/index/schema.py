"""The tables of an index: one schema for SQLite and PostgreSQL.

Input    the names of the types in either
Output   the statements that create the tables, and those that bring an earlier version up to this one
Cost     none

Numbers of documents and texts are 64 bits wide, grow, and are never given twice. Moments are microseconds since 1970,
in UTC. Unsigned hashes are stored as the signed number of the same bits.

==============  ====================================================================================================
table           holds
==============  ====================================================================================================
`settings`      name and value: the version, the settings as JSON and their fingerprint, the type of ids
`state`         one row: the next numbers, the last text in the log, how many documents there are, what changed last
`texts`         a row for each distinct text: digest, words, counts of fingerprints and shingles, its cluster
`documents`     a row for each document: id, text, when it was added and expires, metadata, checksum of its bytes
`bodies`        the text of each document, compressed with zstd
`matches`       verified pairs of texts, the lesser first (`dupdetect.index.evidence`)
`boilerplate`   shingles and their vote margins
`segments`      sorted runs of keys: which texts they are of, where their pages begin
`pages`         the keys of segments, and behind them their filters (`dupdetect.index.pages`)
`log`           the keys of texts that were added last and are in no segment yet
==============  ====================================================================================================
"""

from __future__ import annotations

#: Version of the schema. A later one is refused, an earlier one is brought up to date when it is opened for writing.
VERSION = 3

#: What brings a version of the schema to the next one.
MIGRATIONS: dict[int, str] = {
    1: """
DROP INDEX texts_canonical;
CREATE INDEX texts_canonical ON texts (canonical) WHERE canonical <> text;
ALTER TABLE log RENAME TO former;
CREATE TABLE log (text {integer} PRIMARY KEY, keys {blob} NOT NULL);
INSERT INTO log SELECT text, keys FROM former;
DROP TABLE former;
ALTER TABLE state RENAME COLUMN sequence TO logged;
UPDATE state SET logged = (SELECT coalesce(max(text), 0) FROM log)
""",
    # Of earlier matches all that is shared is taken for what stands at the same place.
    2: """
UPDATE matches SET evidence = CAST(substr(evidence, 1, 116) || {one} || substr(evidence, 117) AS {blob})
""",
}

#: The number 1 as it is stored: 64 bits, the lowest byte first.
_ONE = "000000000000f03f"

#: The types, and that number, by engine.
TYPES = {
    "sqlite": {"integer": "INTEGER", "blob": "BLOB", "clustered": " WITHOUT ROWID", "one": f"x'{_ONE}'"},
    "postgresql": {"integer": "BIGINT", "blob": "BYTEA", "clustered": "", "one": rf"'\x{_ONE}'::bytea"},
}

_TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE state (
    one {integer} PRIMARY KEY CHECK (one = 1),
    document {integer} NOT NULL,
    text {integer} NOT NULL,
    segment {integer} NOT NULL,
    logged {integer} NOT NULL,
    layout {integer} NOT NULL,
    boilerplate {integer} NOT NULL,
    documents {integer} NOT NULL
);
CREATE TABLE texts (
    text {integer} PRIMARY KEY,
    digest {blob} NOT NULL UNIQUE,
    words {integer} NOT NULL,
    fingerprints {integer} NOT NULL,
    shingles {integer} NOT NULL,
    document {integer} NOT NULL,
    canonical {integer} NOT NULL,
    is_digest {integer} NOT NULL,
    sketch {blob}
);
CREATE INDEX texts_canonical ON texts (canonical) WHERE canonical <> text;
CREATE TABLE documents (
    number {integer} PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    text {integer} REFERENCES texts (text),
    added {integer} NOT NULL,
    expires {integer},
    metadata TEXT,
    checksum {integer} NOT NULL
);
CREATE INDEX documents_text ON documents (text);
CREATE INDEX documents_expires ON documents (expires) WHERE expires IS NOT NULL;
CREATE TABLE bodies (
    number {integer} PRIMARY KEY REFERENCES documents (number),
    bytes {integer} NOT NULL,
    content {blob} NOT NULL
);
CREATE TABLE matches (
    a {integer} NOT NULL REFERENCES texts (text),
    b {integer} NOT NULL REFERENCES texts (text),
    origin {integer} NOT NULL,
    evidence {blob} NOT NULL,
    PRIMARY KEY (a, b)
){clustered};
CREATE INDEX matches_b ON matches (b);
CREATE TABLE boilerplate (shingle {integer} PRIMARY KEY, margin {integer} NOT NULL);
CREATE TABLE segments (
    segment {integer} PRIMARY KEY,
    first_text {integer} NOT NULL,
    last_text {integer} NOT NULL,
    entries {integer} NOT NULL,
    texts {integer} NOT NULL,
    dead {integer} NOT NULL,
    value_bytes {integer} NOT NULL,
    fences {blob} NOT NULL,
    filter_words {integer} NOT NULL
);
CREATE TABLE pages (place {integer} PRIMARY KEY, entries {blob} NOT NULL);
CREATE TABLE log (text {integer} PRIMARY KEY, keys {blob} NOT NULL);
INSERT INTO state VALUES (1, 1, 1, 1, 0, 1, 1, 0);
"""

#: What PostgreSQL is told beyond that: what is compressed already, and keys, are not to be compressed again.
_STORAGE = """
ALTER TABLE bodies ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE pages ALTER COLUMN entries SET STORAGE EXTERNAL;
"""

#: All tables, and their indexes go with them.
NAMES = (
    *("settings", "state", "texts", "documents", "bodies"),
    *("matches", "boilerplate", "segments", "pages", "log"),
)


def statements(engine: str) -> list[str]:
    """Return what creates the tables, for one of `TYPES`."""
    return _written(_TABLES + (_STORAGE if engine == "postgresql" else ""), engine)


def migration(version: int, engine: str) -> list[str]:
    """Return what brings a version of the tables to the next one."""
    return _written(MIGRATIONS[version], engine)


def _written(text: str, engine: str) -> list[str]:
    return [each.strip() for each in text.format(**TYPES[engine]).split(";") if each.strip()]
