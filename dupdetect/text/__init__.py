"""The reference, in plain Python: what a clean text, a word, a shingle and main content are; escapes."""
