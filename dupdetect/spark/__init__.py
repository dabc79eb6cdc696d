"""Beyond one machine: the stages of `dupdetect.dedup` as plans of Spark, with the same result.

Needs ``dupdetect[spark]``, and the library itself on the executors.
"""

from __future__ import annotations

from dupdetect.spark.dedup import dedup
from dupdetect.spark.result import SparkResult

__all__ = ["SparkResult", "dedup"]
