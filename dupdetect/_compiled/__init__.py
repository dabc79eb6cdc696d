"""The reference compiled by numba: `hash` is `text.shingles` and `sketches`; the others are named alike."""
