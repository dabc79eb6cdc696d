"""Texts to sketches: signatures, band keys, fingerprints; and sketch files."""
