"""The 62 tasks of the paper, each a small step function."""
