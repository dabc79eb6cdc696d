"""The durable index: the stages of `dedup`, one document at a time, over what is stored."""
