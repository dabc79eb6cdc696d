"""What a run on Spark has finished: stages as Parquet in a folder that all executors reach.

Input    frames and arrays, by name, as they are finished
Output   the same, read back, now or in a later run of the same plan
Cost     a write, in which the checksum is made; in a later run a pass over what was written

A stage is a folder of Parquet and, beside it, ``NAME.done``: a line of JSON with the number of its rows and a checksum
of them that does not depend on their order. Whatever interrupts a run leaves stages that are done and some that are
not; these are written anew. ``plan`` holds all that decides what the stages hold.
"""

from __future__ import annotations

import json
import secrets
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dupdetect.errors import MismatchError, OutputError
from dupdetect.spark.output import exists
from dupdetect.spark.session import parquet, reason, spark_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import Column, DataFrame

    from dupdetect.spark.session import Session

    Arrays = dict[str, NDArray[Any]]

#: Bytes of a table that is written rather than held in plans.
LARGE = 32 << 20

#: Bytes of an array in a row of its own.
PIECE = 16 << 20


class Work:
    """A folder in which a run works.

    Parameters
    ----------
    session : Session
    path : str
        A path or URL that Spark can write to.
    plan : mapping
        All that decides what is put here, ready for JSON.
    resume : bool
        Whether to go on from what is there.

    Attributes
    ----------
    resumed : int
        Stages that were taken from an earlier run.
    checksums : dict of str to list of int
        Of each stage, by its name, how many rows it has, and a checksum of them.

    Raises
    ------
    MismatchError
        The plan of what is there differs.
    OutputError
        Something else is there, or it cannot be written to.
    """

    def __init__(self, session: Session, path: str, plan: Mapping[str, Any], *, resume: bool) -> None:
        self.session, self.path, self.resumed = session, path.rstrip("/"), 0
        self.checksums: dict[str, list[int]] = {}
        said = json.loads(json.dumps(plan))
        begun = self._said("plan")
        if not isinstance(begun, dict) and exists(session.spark, f"{self.path}/*"):
            raise OutputError(f"{path}: holds something else than the work of a run; name a folder of its own for that")
        there = begun if resume else None
        #: Stages that an earlier run than this has left in the folder do not count.
        self._run = secrets.token_hex(8) if there is None else there.pop("run", "")
        if there is not None and there != said:
            name = next(key for key in {**there, **said} if there.get(key) != said.get(key))
            raise MismatchError(
                f"{path}: the work there was begun with {name} {there.get(name)!r}, and is now {said.get(name)!r}; "
                "it cannot be gone on with: give what was given then, or start anew without resuming"
            )
        self._resume = there is not None
        if not self._resume:
            try:
                self._say("plan", {**said, "run": self._run})
            except spark_errors() as error:
                raise OutputError(f"{path}: cannot be written to ({reason(error)}); name another folder") from error

    def stage(self, name: str, make: Callable[[], DataFrame]) -> DataFrame:
        """Return a stage: what an earlier run has finished under the name, or else what is made, written and read."""
        path = f"{self.path}/{name}"
        there = self._said(f"{name}.done") if self._resume else None
        if there is not None and there[0] == self._run:
            frame = self._as_written(path, there[1:])
            if frame is not None:
                self.resumed += 1
                self.checksums[name] = there[1:]
                return frame
            warnings.warn(f"{path} is not as it was written; that part of the work is done again", stacklevel=2)
        with self.session.stage(name):
            frame, checksum = _with_checksum(make())
            frame.write.mode("overwrite").options(**parquet(frame.schema)).parquet(path)
            self.checksums[name] = checksum()
            self._say(f"{name}.done", [self._run, *self.checksums[name]])
        return self.session.spark.read.schema(frame.schema).parquet(path)

    def _as_written(self, path: str, there: list[int]) -> DataFrame | None:
        """Return a stage that was written; None if it is not there any more, or is another."""
        from pyspark.errors import PySparkException

        try:
            frame = self.session.spark.read.parquet(path)
            return frame if _checksum(frame) == there else None
        except PySparkException:  # files are missing, or damaged
            return None

    def kept(self, name: str, table: pa.Table) -> DataFrame:
        """Return a table of the driver's as a frame; a large one as a stage, so that no plan holds it."""
        if table.nbytes <= LARGE:
            return self.session.frame(table)
        return self.stage(name, lambda: self.session.frame(table))

    def finished(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """Return what an earlier run has finished under a name; else make it, and keep it."""
        stored = self.stage(name, lambda: self.session.frame(_pieces(make())))
        return _arrays(stored.toArrow())

    def _say(self, name: str, said: Any) -> None:
        frame = self.session.line(json.dumps(said))
        frame.write.mode("overwrite").text(f"{self.path}/{name}")

    def _said(self, name: str) -> Any:
        from pyspark.errors import AnalysisException

        try:
            rows = self.session.spark.read.text(f"{self.path}/{name}").collect()
            return json.loads(rows[0].value)
        except (AnalysisException, IndexError, ValueError):
            return None


def check_work(path: str) -> None:
    """Refuse what cannot be the name of a work folder."""
    if not isinstance(path, str) or not path.strip("/"):
        raise OutputError(
            f"work is {path!r}: expected a string, the name of a folder of its own that executors can write to"
        )


def _sums(columns: Sequence[str]) -> list[Column]:
    """Return what makes a checksum of rows, whatever their order: how many they are, and two sums of their hashes."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    hashes = F.xxhash64(*columns)
    return [
        F.count(F.lit(1)).alias("rows"),
        F.bit_xor(hashes).alias("bits"),
        F.sum(hashes.bitwiseAND(0xFFFFFFFF)).alias("sum"),
    ]


def _numbers(sums: Mapping[str, Any]) -> list[int]:
    return [int(sums[name] or 0) for name in ("rows", "bits", "sum")]


def _checksum(frame: DataFrame) -> list[int]:
    """Return how many rows a frame has, and a checksum of them."""
    return _numbers(frame.agg(*_sums(frame.columns)).collect()[0].asDict())


def _with_checksum(frame: DataFrame) -> tuple[DataFrame, Callable[[], list[int]]]:
    """Return a frame, and what says the same as `_checksum` when it has been written: it is made on the way."""
    from pyspark.sql import Observation

    observed = Observation()
    return frame.observe(observed, *_sums(frame.columns)), lambda: _numbers(observed.get)


def _pieces(arrays: Arrays) -> pa.Table:
    """Return arrays as rows of their bytes."""
    rows: list[tuple[str, str, int, bytes]] = []
    for name, values in arrays.items():
        data = np.ascontiguousarray(values).tobytes()
        rows += [
            (name, str(values.dtype), place, data[start : start + PIECE])
            for place, start in enumerate(range(0, max(1, len(data)), PIECE))
        ]
    names, types, places, pieces = zip(*rows, strict=True)
    return pa.table({"name": names, "type": types, "place": pa.array(places, pa.int64()), "data": pieces})


def _arrays(table: pa.Table) -> Arrays:
    rows = sorted(table.to_pylist(), key=lambda row: (row["name"], row["place"]))
    data: dict[str, bytearray] = {}
    types = {row["name"]: row["type"] for row in rows}
    for row in rows:
        data.setdefault(row["name"], bytearray()).extend(row["data"])
    return {name: np.frombuffer(held, types[name]) for name, held in data.items()}
