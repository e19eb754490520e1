"""Relative measures: ours against a bare peer in the same run, never a number of seconds."""
