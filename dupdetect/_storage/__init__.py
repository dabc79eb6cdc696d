"""Where a run keeps what it works on: memory budget, arrays that may be spilled, checkpoints."""
