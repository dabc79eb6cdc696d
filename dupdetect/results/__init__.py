"""What a run found: the result in memory, and the output folder, written and read back."""
