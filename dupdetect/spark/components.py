"""Links to components: which documents hang together, found by joins.

Input    links of documents, as a frame
Output   the least document that each hangs together with, as a frame
Cost     two shuffles of the links a round; rounds are some ten, growing with the logarithm of the longest chain

Stars (Kiveris and others, Connected Components in MapReduce and Beyond, 2014): each document links the greater of its
neighbours, and then the lesser ones, to the least of them. This keeps components as they are, and ends when every
document is linked to the least one of its component, and to nothing else.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dupdetect.errors import DupdetectError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from dupdetect.spark.work import Work

#: Rounds in which documents find the least one that they hang together with: for more links than there can be.
ROUNDS = 64


def components(links: DataFrame, work: Work, most: int = ROUNDS) -> DataFrame:
    """Find the components of documents that are linked.

    Parameters
    ----------
    links : DataFrame
        ``a`` and ``b``, long: two documents, in any order.
    work : Work
    most : int
        Rounds at the most.

    Returns
    -------
    DataFrame
        ``text`` and ``component``, a row for each document but the least one of each component.

    Raises
    ------
    DupdetectError
        After so many rounds there are documents that have not found the least one that they hang together with.
    """
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    ends = F.greatest("a", "b").alias("text"), F.least("a", "b").alias("component")
    links = work.stage("links-0", lambda: links.select(*ends).where("text <> component").distinct())
    for number in range(1, most + 1):
        links = work.stage(f"links-{number}", partial(_round, links))
        if work.checksums[f"links-{number}"] == work.checksums[f"links-{number - 1}"]:
            return links
    count = work.checksums["links-0"][0]
    raise DupdetectError(
        f"the components of {count:,} links of matches have not converged in {most} rounds: nothing is clustered; "
        "some twenty should do, so please report it"
    )


def _round(links: DataFrame) -> DataFrame:
    """Link the greater neighbours of each document to the least one, then the lesser ones; links go downwards."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    upward = links.select(F.col("component").alias("text"), F.col("text").alias("other"))
    both = links.select("text", F.col("component").alias("other")).union(upward)
    least = both.groupBy("text").agg(F.min("other").alias("other"))
    least = least.select("text", F.least("text", "other").alias("component"))
    large = both.where("other > text").join(least, "text").select(F.col("other").alias("text"), "component").distinct()
    least = large.groupBy("text").agg(F.min("component").alias("least"))
    own = least.select("text", F.col("least").alias("component"))
    others = large.join(least, "text").where("component <> least").select(F.col("component").alias("text"), "least")
    return own.union(others).distinct()
