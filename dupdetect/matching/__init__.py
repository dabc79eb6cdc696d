"""Sketches to matches: candidates, verification, boilerplate; two texts compared."""
