"""Matches to clusters, each with its canonical."""
