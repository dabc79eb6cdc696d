"""The drivers of the stages: in memory, on disk, against earlier runs."""
