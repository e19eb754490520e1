"""Seeded fuzzing of a DRIMbox's entry points from the wire, with replay, minimisation and proof.

A case depends on its door, seed and index alone: what only a running bed knows (tokens, hosts,
states) is a word between `@` that is replaced when the case is sent.
"""
