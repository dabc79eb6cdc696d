"""From texts to clusters: read, sketch, find candidates, verify, cluster, choose canonicals, make tables.

Input    documents, settings, how much memory there is
Output   `Result`
Cost     a pass over all texts, a sort of their keys, a second pass over the texts that may have copies

This is a composition of the stages that `dupdetect.pipeline.stages` serves one by one: both call the same functions of
`sketches`, `matching` and `clustering`. What is finished (each part of the corpus as it is sketched, what was verified,
the decision) goes through the run's `Workspace`: on disk it is kept, and a run that resumes takes it from there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dupdetect._storage.context import Context, check_workers
from dupdetect._storage.workspace import Workspace, memory_limit
from dupdetect.errors import InputError, SettingsError
from dupdetect.io.paths import ReadAs
from dupdetect.io.rejected import warn_of_rejects
from dupdetect.io.streams import MAX_TEXT, check_max_text
from dupdetect.io.text_column import text_name
from dupdetect.pipeline import stage_arrays, tables
from dupdetect.pipeline.corpus import Corpus, Signing, check_usable
from dupdetect.pipeline.decide import decide
from dupdetect.pipeline.incremental import AgainstEarlier
from dupdetect.pipeline.manifest import check_unchanged, counts, manifest, plan
from dupdetect.pipeline.progress import progress_to
from dupdetect.pipeline.request import Request, RunContext
from dupdetect.pipeline.rules import Plain
from dupdetect.pipeline.timing import Clock, Progress
from dupdetect.results.result import Result
from dupdetect.settings import GivenSettings, Settings, SettingsKeywords
from dupdetect.sketches.build import sketch_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from typing_extensions import Unpack

    from dupdetect.io.documents import Stream
    from dupdetect.pipeline.earlier_runs import Given
    from dupdetect.pipeline.stage_arrays import Arrays


def dedup(
    data: Any,
    *,
    text: str | Sequence[str] = "text",
    id: str | None = None,
    id_prefix: str | None = None,
    settings: GivenSettings = None,
    workers: int | None = None,
    strict: bool = False,
    max_text: int | str = MAX_TEXT,
    input_format: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    memory: int | str | None = None,
    work: str | os.PathLike[str] | None = None,
    resume: bool = False,
    against: Given | Iterable[Given] | None = None,
    replaces: str | os.PathLike[str] | None = None,
    sketches: bool = False,
    known_boilerplate: pa.Table | None = None,
    progress: Progress | bool | None = None,
    **overrides: Unpack[SettingsKeywords],
) -> Result:
    """Find the copies in a collection of texts.

    Parameters
    ----------
    data : iterable of str, of mappings or of (id, text); mapping, Arrow stream, str, Path or list of Path
        Texts; rows; ids and texts; a table (pandas, polars, pyarrow, duckdb, datasets); or files: a path, folder or
        glob, several of them as a list of `Path`. Of an input without a row the result is empty.
    text : str or list of str
        The column of texts, a field in a nested one ("content.body"), or several that are joined.
    id : str, optional
        The column of ids. By default "id" if there is one, else rows are numbered; "none": they are in any case.
    id_prefix : {"file"}, optional
        "file": the name of a row's file goes before its id, for ids that are unique in each file only.
    settings : Settings or mapping, optional
        Default settings if left out, and for what a mapping does not name.
    workers : int, optional
        Threads; by default one for each processor. The result does not depend on it.
    strict : bool
        Whether a row that cannot be used is an error. By default it becomes a row of `Result.rejects`.
    max_text : int or str
        Bytes that a text, or a line or record of a file, may have: a row with more cannot be used.
    input_format : str, optional
        What files are whose names do not say it: "parquet", "jsonl", "csv", "tsv", "arrow", "orc", "lines", "text",
        "html", "html-main" (the main part alone), "warc" or "warc-main".
    encoding : str, optional
        Of files of JSON Lines, CSV and text; by default UTF-8.
    delimiter : str, optional
        What separates the values of CSV: a character, or "tab"; by default a comma, in files named .tsv a tab.
    memory : int or str, optional
        Bytes that the process should keep to, or a size such as "2GB"; what would not fit is worked on in files, and
        Parquet files are then read again where texts are needed. By default a share of the memory that is free. The
        result does not depend on it.
    work : path, optional
        A folder for these files, in which what is finished stays until `Result.close`. By default a temporary one.
    resume : bool
        Go on with what an interrupted run has left in `work`. Work there from the beginning, even if all would fit in
        memory.
    against : path, Result or iterable of these, optional
        Outputs of earlier runs (Parquet), folders of such, or results: copies of what they kept are found, too, and
        what they kept stays. The result is of the new documents alone, but their clusters may be earlier ones'.
    replaces : path, optional
        Where the result will be written. If that is an earlier output already, and named by `against` or in a folder
        that is, neither it nor what was made against it is compared with: a run that is repeated gives the same.
    sketches : bool
        Whether `Result.write` is to write the sketches of what is kept, which later runs against it then need not make.
    known_boilerplate : pyarrow.Table, optional
        What is boilerplate, as `Result.boilerplate` has it: it is taken as it stands, and nothing is learned from these
        documents. Not together with `against`, whose outputs say what is, nor with `resume`.
    progress : callable or bool, optional
        Called with (stage, done, total); True shows bars. By default they are shown in a notebook alone.
    **overrides
        Single settings, as `Settings` names them.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        The data cannot be read, a column is missing, or there are rows and none of them can be used.
    SettingsError
        A setting is unknown or out of its range.
    MismatchError
        `resume`, but what is in `work` was begun with other inputs or settings.
    OutputError
        The files in `work` cannot be written.

    Examples
    --------
    >>> story = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
    >>> result = dedup({"a": story, "b": "Nothing like it.", "c": story.upper()})
    >>> result.clusters.select(["id", "cluster", "relation"]).to_pylist()[2]
    {'id': 'c', 'cluster': 'a', 'relation': 'identical'}
    """
    chosen, threads, text = Settings.of(settings, **overrides), check_workers(workers), text_name(text)
    if known_boilerplate is not None and (resume or against is not None):
        raise SettingsError(
            "known_boilerplate cannot be given together with against, whose outputs say it, nor with resume"
        )
    how = ReadAs(input_format, encoding, delimiter, chosen.listed).checked()
    request = Request(data, text, id, strict, check_max_text(max_text), id_prefix, chosen.columns, how)
    earlier = (
        Plain(known_boilerplate) if against is None else AgainstEarlier.of(against, chosen, text, threads, replaces)
    )
    with earlier as rules, progress_to(progress) as told:
        limit = memory_limit(memory)
        stream = request.stream(limit)
        made = plan(request, chosen, stream.inputs, rules.files)
        workspace = Workspace(limit, work, resume, made)
        run = RunContext(request, chosen, threads, workspace, Clock(told), made)
        try:
            with workspace.checked():
                corpus, resumed = _sketched(stream, run)
                corpus = rules.join(corpus, run, strict)
                check_usable(corpus)
                warn_of_rejects(corpus.rejects, corpus.new + corpus.rejects.num_rows)
                arrays = _decision(corpus, rules, run)
                result = _result(corpus, arrays, rules, run, resumed, sketches)
        except BaseException as error:
            workspace.close(remove=isinstance(error, InputError) and not resume)  # with these inputs nothing can go on
            raise
    return result


def _sketched(stream: Stream, run: RunContext) -> tuple[Corpus, int]:
    """Read and sketch all documents; return how many parts an earlier run had done, too."""
    workspace = run.workspace
    with run.clock.stage("sign", 0) as told:
        again = stream.texts_again()
        signing = Signing(run.request.text, run.settings, run.workers, workspace, told, again)
        if workspace.resume:
            if stream.once:
                raise InputError("a pipe cannot be read again, so nothing can resume from it: give a file")
            note = signing.resume()
            if note is not None:
                stream = run.request.stream(workspace.memory, after=note)
        resumed = signing.parts
        corpus = signing.sign(stream)
    # Of the time for sketching, that in which there was nothing to sketch.
    run.clock.seconds["read"] = round(signing.waited, 6)
    return corpus, resumed


def _decision(corpus: Corpus, rules: Plain, run: RunContext) -> Arrays:
    """Decide; or return what an earlier run has decided, unless by a function: another may have its name by now."""
    if callable(run.settings.canonical):
        return decide(corpus, rules, run)
    return run.workspace.finished("decision", lambda: decide(corpus, rules, run))


def _result(corpus: Corpus, arrays: Arrays, rules: Plain, run: RunContext, resumed: int, sketches: bool) -> Result:
    """Make the tables, and say what was done."""
    settings, (decision, caps) = run.settings, stage_arrays.decision_of_arrays(arrays)
    check_unchanged(run.plan)
    with run.clock.stage("tables", len(corpus)):
        found, superseded = tables.clusters_tables(corpus, decision, settings)
        found = tables.with_origins(found, corpus)
        matches, unlisted = tables.matches_table(corpus, decision, settings)
        contained = tables.digests_table(corpus, decision, settings)
        kept = tables.kept_rows(corpus, decision)
        boilerplate = tables.boilerplate_table(decision.boilerplate, rules.known)
    said = {
        **manifest(run, corpus, resumed),
        "counts": counts(corpus, decision, {"clusters": found, "matches": matches, "boilerplate": boilerplate}),
        "caps": {**caps, "unlisted_pairs": unlisted},
        **rules.said(corpus, superseded.num_rows),
    }
    ids = found["id"].filter(found["canonical"])
    sketcher = partial(sketch_rows, kept, ids, run.request.text, Context(settings, run.workers)) if sketches else None
    found, matches, contained, superseded = (
        tables.with_ids(table, corpus.id_type if len(corpus) else None)
        for table in (found, matches, contained, superseded)
    )
    found_tables = found, matches, contained, kept, corpus.rejects, boilerplate
    originals = tables.kept_originals(corpus, decision)
    return Result(*found_tables, said, run.workspace, superseded, sketcher, corpus.rows, originals)
