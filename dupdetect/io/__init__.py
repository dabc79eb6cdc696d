"""Files, data frames and tables to batches of documents; tables to files."""
