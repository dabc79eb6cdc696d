"""Components of links on Spark are those that they are; what does not converge says so."""

import pyarrow as pa
import pytest

from dupdetect.errors import DupdetectError
from dupdetect.spark.components import components
from dupdetect.spark.session import Session
from dupdetect.spark.work import Work


def test_chains_stars_and_what_is_twice(spark, tmp_path):
    chain = [(n, n + 1) for n in (3, 9, 1, 7, 5, 2, 8, 6, 4, 0)]
    star = [(n, 40) for n in range(30, 36)]
    pairs = [*chain, *star, (40, 30), (60, 61), (61, 60)]
    a, b = map(list, zip(*pairs, strict=True))
    work = Work(Session(spark), str(tmp_path), {}, resume=False)
    links = spark.createDataFrame(pa.table({"a": a, "b": b}))
    found = {(row["text"], row["component"]) for row in components(links, work).toArrow().to_pylist()}
    assert found == {(n, 0) for n in range(1, 11)} | {(n, 30) for n in (31, 32, 33, 34, 35, 40)} | {(61, 60)}
    again = Work(Session(spark), str(tmp_path / "again"), {}, resume=False)
    with pytest.raises(DupdetectError, match=r"components of \d+ links of matches have not converged in 1 rounds"):
        components(links, again, most=1)
