"""What a person reads when a run has ended.

Input    a Result and where it was written
Output   lines on standard output: documents, duplicates, the largest clusters and losses, rejects, seconds, files
Cost     a count over the clusters table and one line of text for each cluster shown
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dupdetect.results.losses import Loss, largest_losses, unit_of_loss
from dupdetect.text.escape import escape_for_terminal

if TYPE_CHECKING:
    from rich.console import Console

    from dupdetect.results.result import Result

LARGEST = 5  # clusters shown, and losses
_LINE = 200  # characters of a text that are looked at for its one line: no terminal shows more


def terminal_line(text: str) -> str:
    r"""Give the beginning of a text as a single safe line, runs of white space as one space.

    >>> terminal_line("  A title\n\nand its text ")
    'A title and its text'
    """
    return escape_for_terminal(" ".join(text[:_LINE].split()))


class LargeCluster(NamedTuple):
    """One line of the list of the largest clusters."""

    size: int
    canonical: Any
    text: str | None


def largest_clusters(result: Result, *, text: str = "text", count: int = LARGEST) -> list[LargeCluster]:
    """Give the `count` largest clusters of two and more, largest first, with their canonical's text.

    Parameters
    ----------
    result
        What `dedup` returned.
    text
        The column of `result.rows` that holds the texts; where there is none, `text` is None.
    count
        How many at most.
    """
    import pyarrow.compute as pc

    from dupdetect.io.identifiers import as_type, shown, workable_columns

    clusters = result.clusters
    sizes = (
        workable_columns(clusters.select(["cluster"]), "cluster").group_by("cluster").aggregate([("cluster", "count")])
    )
    sizes = sizes.filter(pc.greater(sizes["cluster_count"], 1))
    sizes = sizes.sort_by([("cluster_count", "descending"), ("cluster", "ascending")]).slice(0, count)
    texts = _texts_of(result, sizes["cluster"], text)
    return [
        LargeCluster(size, canonical, terminal_line(content) if isinstance(content, str) else None)
        for size, canonical, content in zip(
            sizes["cluster_count"].to_pylist(),
            shown(as_type(sizes["cluster"], clusters.schema.field("cluster").type)),
            texts,
            strict=True,
        )
    ]


def _texts_of(result: Result, canonicals: Any, text: str) -> list[Any]:
    """Look up texts by place: `rows` and the canonical rows of `clusters` are in one order, the input's.

    Canonicals of earlier runs are not among them: None.
    """
    import numpy as np
    import pyarrow.compute as pc

    from dupdetect.io.identifiers import workable

    kept_ids = workable(result.clusters.filter(result.clusters["canonical"])["id"])
    if text not in result.rows.column_names or len(kept_ids) != result.rows.num_rows:
        return [None] * len(canonicals)
    places = pc.index_in(canonicals, value_set=kept_ids.combine_chunks())
    texts: list[Any] = [None] * len(canonicals)
    here = np.flatnonzero(places.is_valid().to_numpy())
    for place, value in zip(here.tolist(), result.rows.values(text, places.drop_null().to_numpy()), strict=True):
        texts[place] = value
    return texts


def print_summary(result: Result, output: Path, *, seconds: float, text: str = "text", verbose: bool = False) -> None:
    """Print the closing summary of a run to standard output, or to standard error where the rows went there.

    Parameters
    ----------
    result
        What `dedup` returned; its manifest's `settings`, `timings` and `caps` may be shown.
    output
        The folder it was written to.
    seconds
        How long the whole run took.
    text
        The column that holds the texts.
    verbose
        Also show the settings, the seconds of each stage, what was capped and the most memory that was in use.
    """
    from rich.console import Console
    from rich.text import Text

    from dupdetect.results.single import Target

    console = Console(highlight=False, markup=False, emoji=False, stderr=str(output) == "-")
    _print_counts(console, result, in_folder=Target.of(output) is None)
    _print_largest(console, largest_clusters(result, text=text))
    _print_losses(console, largest_losses(result.clusters, LARGEST), unit_of_loss(result.manifest["settings"]))
    console.print()
    for line in _closing_lines(result, output, seconds):
        console.print(Text(escape_for_terminal(line)), soft_wrap=True)
    if verbose:
        _print_details(console, result.manifest)


def _print_counts(console: Console, result: Result, *, in_folder: bool) -> None:
    """Print the numbers of a run, one a line, aligned; where it is not in a folder, its rejects are nowhere."""
    import pyarrow.compute as pc
    from rich.text import Text

    from dupdetect.io.identifiers import workable

    clusters = result.clusters
    documents, rejected = clusters.num_rows, result.rejects.num_rows
    taken = workable(clusters.filter(pc.invert(clusters["canonical"]))["cluster"])
    rows = [
        (documents, "documents", ""),
        (pc.count_distinct(taken).as_py(), "clusters of two and more", ""),
        (len(taken), "duplicates", f", {len(taken) / documents:.1%} of the documents" if documents else ""),
        (result.rows.num_rows, "kept", ""),
    ]
    if digests := result.manifest["counts"]["digests"]:
        rows.append((digests, "digest documents", ", each of several texts, listed in the table digests"))
    if boilerplate := result.manifest["counts"]["boilerplate_shingles"]:
        rows.append((boilerplate, "boilerplate shingles", ", which come with pages and weigh next to nothing"))
    if rejected:
        rows.append((rejected, "rejected rows", ", each with its reason in rejects.jsonl" if in_folder else ""))
    width = max(len(f"{number:,}") for number, _, _ in rows)
    for number, name, remark in rows:
        console.print(Text.assemble((f"{number:>{width},}", "bold"), f"  {name}{remark}"))


def _print_largest(console: Console, largest: list[LargeCluster]) -> None:
    """Print each cluster's size and canonical, below it a line of its text, cut where the terminal ends."""
    from rich.text import Text

    if largest:
        console.print("\nLargest clusters")
    width = max((len(f"{cluster.size:,}") for cluster in largest), default=0)
    for cluster in largest:
        # Text, not str: brackets in an id or a text are no markup of ours.
        name = terminal_line(str(cluster.canonical))
        lines = [Text.assemble((f"{cluster.size:>{width},}", "bold"), f" x {name}")]
        if cluster.text:
            lines.append(Text(" " * (width + 3) + cluster.text, style="dim"))
        for line in lines:
            line.truncate(console.width, overflow="ellipsis")
            console.print(line)


def _print_losses(console: Console, losses: list[Loss], unit: str) -> None:
    """Print the removed documents of which the most words are lost, and what stands for each."""
    from rich.text import Text

    if losses:
        console.print(f"\nLargest losses, in {unit} that are neither in what is kept nor boilerplate")
    width = max((len(f"{loss.words:,}") for loss in losses), default=0)
    for loss in losses:
        removed, stands = (terminal_line(str(id)) for id in (loss.id, loss.canonical))
        names = f"  {loss.share:>6.1%}  of {removed}, for which {stands} stands"
        line = Text.assemble((f"{loss.words:>{width},}", "bold"), names)
        line.truncate(console.width, overflow="ellipsis")
        console.print(line)


def _closing_lines(result: Result, output: Path, seconds: float) -> Iterator[str]:
    names = sorted(path.name for path in output.iterdir()) if output.is_dir() else []
    where = "standard output" if str(output) == "-" else str(output)
    yield f"{seconds:,.1f} seconds; written to {where}{': ' if names else ''}{', '.join(names)}"
    if hot := result.manifest["caps"].get("hot_keys"):
        keys = "hot key" if hot == 1 else "hot keys"
        yield f"{hot:,} {keys}: of the very many documents that share one, pairs were sampled (manifest.json: caps)."


def _print_details(console: Console, manifest: dict[str, Any]) -> None:
    """Show a manifest's settings, timings and caps, a name and its value a line; then the process's peak memory."""
    from rich.text import Text

    from dupdetect._storage import memory

    for title in ("settings", "timings", "caps"):
        entries = manifest.get(title)
        if not entries:
            continue
        console.print(f"\n{title.capitalize()}")
        if not isinstance(entries, dict):
            entries = dict(enumerate(entries, start=1))
        for name, value in entries.items():
            shown = f"{value:.3f} s" if title == "timings" and isinstance(value, float) else str(value)
            console.print(Text(f"  {escape_for_terminal(str(name))}: {escape_for_terminal(shown)}"), soft_wrap=True)
    console.print(f"\nMemory\n  peak: {memory.shown(memory.peak())}")
