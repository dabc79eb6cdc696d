"""The compiled twins of the reference in `dupdetect.text`, each file named after the reference that it doubles."""
