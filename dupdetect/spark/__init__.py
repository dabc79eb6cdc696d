"""Beyond one machine: the stages of `dupdetect.dedup` as plans of Spark, with the same result.

Needs ``dupdetect[spark]``, and the library itself on the executors.
"""

from __future__ import annotations

from dupdetect.spark.result import SparkResult
from dupdetect.spark.run import dedup
from dupdetect.spark.sketch_table import sketch

__all__ = ["SparkResult", "dedup", "sketch"]
