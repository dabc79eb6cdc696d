"""Check that an output says what an output must say, by itself and against its input.

Input    an output folder or a `Result`; the input that it was made of, if it is at hand
Output   `Verified`: each check, how much it looked at, and what it found wrong
Cost     reading the tables; with an input a pass over it, and some microseconds for each word of the sampled texts

Nothing here trusts the code that wrote the output: figures of sampled pairs are counted anew from sets of words.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect._storage.checksums import checksum
from dupdetect.errors import InputError
from dupdetect.evaluation.options import check_whole
from dupdetect.io.documents import stream
from dupdetect.io.identifiers import as_type, folder_of, within
from dupdetect.io.paths import label
from dupdetect.io.rejected import EARLIER_DOCUMENT, repeated_id
from dupdetect.io.tables import comparable
from dupdetect.matching.overlaps import RELATIONS
from dupdetect.results.read_again import as_read
from dupdetect.results.result import KEPT, Result
from dupdetect.results.run import Run
from dupdetect.text.clean import clean
from dupdetect.text.words import words

if TYPE_CHECKING:
    from dupdetect.results.read_again import Reading
    from dupdetect.settings import Settings

#: Matches whose figures are counted anew.
SAMPLE = 200

#: Failures that are named of each check.
NAMED = 5

#: What stands between the ids of a pair.
SPACE = pa.scalar(" ", pa.large_string())

#: Figures of two ways of counting may differ by rounding.
CLOSE = 1e-9


@dataclass
class Check:
    """One thing that must hold.

    Attributes
    ----------
    name : str
        What must hold.
    looked_at : int
        Of how many rows, files or pairs; 0 where nothing could be looked at.
    failed : int
        Of how many it does not hold.
    failures : list of str
        Some of these, in words.
    """

    name: str
    looked_at: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)

    def of(self, looked_at: int, failures: Iterable[str] = ()) -> Check:
        """Count what was looked at, and what failed."""
        self.looked_at += looked_at
        for failure in failures:
            self.failed += 1
            if len(self.failures) < NAMED:
                self.failures.append(failure)
        return self


@dataclass(frozen=True)
class Verified:
    """What became of the checks of an output.

    Attributes
    ----------
    checks : list of Check
    """

    checks: list[Check]

    @property
    def holds(self) -> bool:
        """Whether all that could be looked at holds."""
        return not any(check.failed for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"holds": self.holds, "checks": [asdict(check) for check in self.checks]}


def verify_output(
    out: Any,
    data: Any = None,
    *,
    text: str | None = None,
    id: str | None = None,
    matches: int = SAMPLE,
    sampling_seed: int = 0,
) -> Verified:
    """Check an output: what must hold of every one of them, whatever it was made of.

    Parameters
    ----------
    out : Result, str or Path
        What `dedup` returned, or the folder that it wrote.
    data : optional
        The input, as `dedup` took it: then every row of it is looked for among documents and rejects, and figures are
        counted anew. By default the files that the manifest names, if they are still what the run read.
    text, id : str, optional
        The columns of the input; by default as the run had them.
    matches : int
        How many have their figures counted anew.
    sampling_seed : int
        Seed of which these are.

    Returns
    -------
    Verified

    Raises
    ------
    InputError
        There is no manifest, or the input cannot be read. A table that cannot be read is a failed check.
    SettingsError
        `matches` or `sampling_seed` is no whole number from 0 on.

    Examples
    --------
    >>> import dupdetect
    >>> story = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
    >>> texts = {"a": story, "b": story.upper(), "c": "Nothing like it."}
    >>> verify_output(dupdetect.dedup(texts), texts).holds
    True
    """
    check_whole("matches", matches, 0)
    check_whole("sampling_seed", sampling_seed, 0)
    run = Run(out)
    checks = [_files(run), Check("every table can be read, with its columns")]
    tables = {name: _read(run, name, checks[1]) for name in ("clusters", "matches", "digests", "superseded", "rejects")}
    if tables["clusters"] is None or tables["matches"] is None:
        return Verified(checks)
    given = data if data is not None else run.inputs or None
    checks += [each(run) for each in (_ids, _canonicals, _members, _pairs, _scores, _counts, _kept)]
    if given is not None:
        checks += _against_input(run, given, as_read(run, text, id), (matches, sampling_seed))
    return Verified(checks)


# ---- files and tables ----


def _files(run: Run) -> Check:
    check = Check("every file is as it was written, by its checksum")
    if isinstance(run.out, Result):
        return check
    for name, said in run.files.items():
        path = run.out / str(name).lstrip("/")
        found = checksum(path)
        if found is None:
            check.of(1, [f"{name} is not there"])
        else:
            check.of(1, [] if found == said else [f"{name} is not what was written"])
    return check


def _read(run: Run, name: str, check: Check) -> pa.Table | None:
    try:
        table = run.own if name == "clusters" else getattr(run, name)
    except InputError as error:
        check.of(1, [str(error)])
        return None
    check.of(1)
    return table


# ---- clusters ----


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return comparable(column, "ids")


def _named(table: pa.Table, mask: Any, say: str) -> Iterator[str]:
    """Say what is wrong with the rows of a mask: a sentence with the names of columns in it."""
    for row in table.filter(mask).to_pylist():
        yield say.format(who=repr(row["id"]) if "id" in row else f"{row['a']!r} and {row['b']!r}", **row)


def _ids(run: Run) -> Check:
    check = Check("every document has one row in clusters")
    counted = pc.value_counts(_text(run.own["id"]))
    repeated = counted.filter(pc.greater(counted.field("counts"), 1)).to_pylist()
    return check.of(len(run.own), (f"{row['values']!r} has {row['counts']} rows" for row in repeated))


def _canonicals(run: Run) -> Check:
    check = Check("every cluster has one canonical, whose id it bears")
    table = run.own
    bears = pc.equal(_text(table["id"]), _text(table["cluster"]))
    wrong = pc.xor(bears, table["canonical"])
    again = _again(run)
    wrong = pc.and_not(wrong, again)
    check.of(
        len(table),
        _named(table, wrong, "{id!r} is in cluster {cluster!r}, canonical: {canonical}"),
    )
    canonical = _text(table["id"]).filter(table["canonical"])
    lost = pc.invert(pc.is_in(_text(table["cluster"]), value_set=canonical))
    if "against" in run.manifest:  # whose canonical may be an earlier document
        earlier = pc.invert(pc.is_in(_text(table["cluster"]), value_set=_text(table["id"])))
        earlier = pc.or_(earlier, pc.is_in(_text(table["cluster"]), value_set=_text(table["id"]).filter(again)))
        lost = pc.and_(lost, pc.invert(earlier))
    return check.of(0, _named(table, lost, "cluster {cluster!r} of {id!r} has no canonical"))


def _again(run: Run) -> Any:
    """Mark documents for which one of the same id stands, which an earlier run kept: the two have no row in matches."""
    same = pc.and_not(pc.equal(_text(run.own["id"]), _text(run.own["cluster"])), run.own["canonical"])
    return pc.and_(same, pa.scalar("against" in run.manifest))


def _members(run: Run) -> Check:
    """Each member and its canonical have a match, whose figures the row of the member has, too."""
    check = Check("every member has a row in matches with its canonical, of the same figures")
    members = run.own.filter(pc.and_not(pc.invert(run.own["canonical"]), _again(run)))
    if not members.num_rows:
        return check
    found = _pair_keys(run.matches["a"], run.matches["b"])
    place = pc.index_in(_pair_keys(members["id"], members["cluster"]), value_set=found)
    check.of(len(members), _named(members, place.is_null(), "{id!r} has none with {cluster!r}"))
    listed = members.filter(place.is_valid())
    match = run.matches.take(place.drop_null())
    for name in ("score", "jaccard"):
        differ = pc.greater(pc.abs(pc.subtract(listed[name], match[name])), CLOSE)
        check.of(
            0,
            _named(listed, differ, f"{{id!r}} has another {name} in matches than in clusters"),
        )
    return check


def _removed(run: Run) -> int:
    return int(pc.sum(pc.invert(run.own["canonical"])).as_py() or 0)


def _pair_keys(a: pa.ChunkedArray, b: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a text for each pair of ids, whichever comes first."""
    a, b = _text(a), _text(b)
    swapped = pc.greater(a, b)
    length = pc.cast(pc.utf8_length(pc.if_else(swapped, b, a)), pa.large_string())  # or "1" and "11" were "11" and "1"
    return pc.binary_join_element_wise(length, pc.if_else(swapped, b, a), pc.if_else(swapped, a, b), SPACE)


def _pairs(run: Run) -> Check:
    check = Check("every match is of two documents, and listed once")
    matches = run.matches
    known = _text(run.clusters["id"])
    for name in ("a", "b"):
        unknown = pc.invert(pc.is_in(_text(matches[name]), value_set=known))
        if "against" in run.manifest:
            continue  # an earlier document may be one of a pair, and is listed nowhere else
        check.of(0, _named(matches, unknown, f"{{{name}!r}} is no document"))
    own = pc.equal(_text(matches["a"]), _text(matches["b"]))
    check.of(len(matches), _named(matches, own, "{a!r} matches itself"))
    counted = pc.value_counts(_pair_keys(matches["a"], matches["b"]))
    repeated = counted.filter(pc.greater(counted.field("counts"), 1)).to_pylist()
    return check.of(0, (f"the pair {row['values']!r} has {row['counts']} rows" for row in repeated))


def _scores(run: Run) -> Check:
    check = Check("every figure is a share, and every score reaches its threshold")
    settings = run.settings
    least = {"identical": 0.0, "near_duplicate": settings.threshold, "syndicated": settings.threshold}
    for table, names in (
        (run.own, ("score", "jaccard", "containment", "lost_share")),
        (run.matches, ("score", "jaccard", "containment_a", "containment_b", "boilerplate")),
    ):
        relations = table["relation"].to_pylist()
        scores = table["score"].to_pylist()
        for name in names:
            wrong = pc.invert(pc.and_(pc.greater_equal(table[name], 0.0), pc.less_equal(table[name], 1 + CLOSE)))
            check.of(0, _named(table, wrong, f"{name} is {{{name}}} in the row of {{who}}"))
        low = [
            relation is not None
            and (
                relation not in RELATIONS or score is None or score < least.get(relation, settings.containment) - CLOSE
            )
            for relation, score in zip(relations, scores, strict=True)
        ]
        check.of(
            len(table),
            _named(table, pa.array(low, pa.bool_()), "{who} is {relation} at {score}"),
        )
    return check


def _counts(run: Run) -> Check:
    check = Check("the manifest counts what the tables hold")
    kept = len(run.own) - _removed(run)
    relations = pc.value_counts(run.own["relation"].drop_null()).to_pylist()
    counted: dict[str, Any] = {
        "documents": len(run.own),
        "clusters": kept,
        "kept": kept,
        "duplicates": _removed(run),
        "matches": run.matches.num_rows,
        "rejected": run.rejects.num_rows,
        "relations": {row["values"]: row["counts"] for row in relations},
    }
    said = run.manifest.get("counts")
    said = said if isinstance(said, dict) else {}
    for name, count in counted.items():
        told = said.get(name)
        if name == "relations" and isinstance(told, dict):
            told = {relation: number for relation, number in told.items() if number}
        check.of(1, [] if told == count else [f"{name} is {told} there, and {count} in the tables"])
    return check


def _kept(run: Run) -> Check:
    """Look at what was kept: as many rows as canonicals and, where rows have ids, these ids in this order."""
    check = Check("what was kept are the canonicals")
    section = run.manifest.get(KEPT)
    if not isinstance(run.out, Result) and isinstance(section, dict) and section.get("files") == []:
        return check  # nobody wanted them
    canonical = _text(run.own["id"].filter(run.own["canonical"]))
    count = 0
    try:
        # A file that is a text has an id of its own: its path, and that is another here.
        files = [] if isinstance(run.out, Result) else run.kept_files
        named = pa.array([label(os.fspath(path)) for path in files], pa.large_string())
        for ids, _, table in run.kept():
            count += len(table)
            if len(ids) < len(table):
                check.of(0, [f"there are more rows than the {len(canonical)} canonicals"])
                break
            if run.id_column in table.column_names and run.id_prefix is None:
                said = _text(table[run.id_column])
                differ = pc.and_not(pc.not_equal(said, ids), pc.is_in(said, value_set=named))
                check.of(0, (f"{id!r} stands where {own!r} should" for id, own in zip(
                    _text(table[run.id_column]).filter(differ).to_pylist(), ids.filter(differ).to_pylist(), strict=True
                )))  # fmt: skip
    except InputError as error:
        return check.of(count, [str(error)])
    return check.of(count, [] if count == len(canonical) else [f"{count} rows, of {len(canonical)} canonicals"])


# ---- against the input ----


def _against_input(run: Run, data: Any, reading: Reading, sampled: tuple[int, int]) -> list[Check]:
    """Look for each row of the input among documents and rejects, and count figures of sampled matches anew."""
    number, seed = sampled
    chosen = run.matches.take(_drawn(run.matches.num_rows, number, seed))
    wanted = pa.chunked_array([*_text(chosen["a"]).chunks, *_text(chosen["b"]).chunks], pa.large_string()).unique()
    reader = stream([Path(data)] if isinstance(data, str) else data, **reading)
    texts: dict[str, str] = {}
    found, files, rows, rejects, folder = [], [], [], [], None
    for part in reader:
        ids = reader.ids(part.table, part.file, part.row)
        if pa.types.is_large_string(ids.type) or pa.types.is_string(ids.type):
            folder = folder_of(_text(ids), _text(run.own["id"])) if folder is None else folder
            ids = within(_text(ids), folder)
        found.append(ids)
        files.append(part.file)
        rows.append(part.row)
        rejects.append(part.rejects)
        places = pc.is_in(_text(ids), value_set=wanted)
        for name, value in zip(
            _text(ids).filter(places).to_pylist(), part.texts.filter(places).to_pylist(), strict=True
        ):
            texts.setdefault(name, value)
    # Ids of one file may be numbers, and of a later one text or numbers that are wider.
    type_ = next((each.type for each in reversed(found) if pa.types.is_large_string(each.type)), None)
    type_ = type_ or (found[-1].type if found else pa.int64())
    ids = pa.chunked_array([chunk for each in found for chunk in as_type(each, type_).chunks], type_)
    dropped, late = reader.late(
        ids, np.concatenate([np.empty(0, np.int32), *files]), np.concatenate([np.empty(0, np.int64), *rows])
    )
    stays = np.ones(len(ids), np.bool_)
    stays[dropped] = False
    given = ids.filter(pa.array(stays))
    rejected, earlier = _with_ids_of_earlier(run, reader.id, given)
    documents = _text(given.filter(pc.invert(earlier)))
    for name in _text(given.filter(earlier)).to_pylist():
        texts.pop(name, None)  # what matches by this id is the earlier document, whose text is another
    return [
        _accounted(run, documents),
        _rejected(rejected, reader.rejects([*rejects, late])),
        # What a tokenizer of the user's own made of texts is not known.
        *([_figures(run.settings, chosen, texts)] if run.settings.listed or run.settings.words is None else []),
    ]


def _drawn(n: int, number: int, seed: int) -> pa.Array:
    return pa.array(np.sort(np.random.default_rng(seed).permutation(n)[:number]))


def _accounted(run: Run, documents: pa.ChunkedArray) -> Check:
    check = Check("every document of the input has its row in clusters, and no other has one")
    known = _text(run.own["id"])
    lost = documents.filter(pc.invert(pc.is_in(documents, value_set=known)))
    strange = known.filter(pc.invert(pc.is_in(known, value_set=documents)))
    check.of(len(documents), (f"{id!r} is in the input alone" for id in lost.to_pylist()))
    return check.of(0, (f"{id!r} is in clusters alone" for id in strange.to_pylist()))


def _with_ids_of_earlier(run: Run, column: str | None, ids: pa.ChunkedArray) -> tuple[pa.Table, Any]:
    """Return the other rejects, and mark the documents of the input that were rejected for an earlier one of their id.

    Only a run against earlier outputs can know these.
    """
    if column is None or "against" not in run.manifest:
        return run.rejects, pa.repeat(False, len(ids))
    lacking = ids.filter(pc.invert(pc.is_in(_text(ids), value_set=_text(run.own["id"]))))
    begins = {repeated_id(column, id, EARLIER_DOCUMENT): id for id in lacking.to_pylist()}
    named = [begins.get(str(reason).rpartition(", ")[0]) for reason in run.rejects["reason"].to_pylist()]
    others = run.rejects.filter(pa.array([id is None for id in named], pa.bool_()))
    found = pa.array([id for id in named if id is not None], ids.type)
    return others, pc.is_in(_text(ids), value_set=_text(pa.chunked_array([found])))


def _rejected(said: pa.Table, rejects: pa.Table) -> Check:
    """Compare rejects by row and reason; their files may have been named otherwise."""
    check = Check("every other row of the input is a reject, and no other is one")
    columns = ["row", "reason"]
    mine, theirs = (sorted(map(repr, table.select(columns).to_pylist())) for table in (rejects, said))
    for of, others, where in ((mine, theirs, "the input"), (theirs, mine, "the output")):
        left = list(others)
        lost = [row for row in of if not _taken(left, row)]
        check.of(0, (f"{row} is in {where} alone" for row in lost))
    return check.of(len(mine))


def _taken(rows: list[str], row: str) -> bool:
    place = int(np.searchsorted(rows, row)) if rows else 0
    if place < len(rows) and rows[place] == row:
        rows.pop(place)
        return True
    return False


def _figures(settings: Settings, matches: pa.Table, texts: dict[str, str]) -> Check:
    check = Check("figures of sampled matches are what brute force counts")
    keys = zip(_text(matches["a"]).to_pylist(), _text(matches["b"]).to_pylist(), matches.to_pylist(), strict=True)
    sets: dict[str, set[tuple[str, ...]]] = {}
    for a, b, row in keys:
        if a not in texts or b not in texts:
            continue  # an earlier document
        for name in (a, b):
            sets.setdefault(name, _shingles(texts[name], settings))
        counted = _shares(sets[a], sets[b])
        wrong = [name for name, value in counted.items() if row[name] is None or abs(value - row[name]) > CLOSE]
        check.of(1, (f"{name} of {a!r} and {b!r} is {row[name]}, and by brute force {counted[name]}" for name in wrong))
    return check


def _shingles(text: str, settings: Settings) -> set[tuple[str, ...]]:
    """Return the shingles of a text, by the definition."""
    units = words(clean(text), settings.unit)
    size = min(settings.shingle_size, len(units))
    return set(zip(*(islice(units, start, None) for start in range(size)), strict=False)) if size else set()


def _shares(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> dict[str, float]:
    if not a or not b:  # texts without words are alike byte for byte
        return {"jaccard": 1.0, "containment_a": 1.0, "containment_b": 1.0}
    shared = len(a & b)
    return {
        "jaccard": shared / (len(a) + len(b) - shared),
        "containment_a": shared / len(a),
        "containment_b": shared / len(b),
    }
