"""The command `dupdetect`."""
