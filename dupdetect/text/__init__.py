"""What a text is made of, in plain Python: cleaned, cut into words and shingles, its main content marked."""
