"""Hypothesis for the whole suite: no assertion on seconds, and every failure replayable."""

from hypothesis import settings

settings.register_profile("drimbench", deadline=None, print_blob=True)
settings.load_profile("drimbench")
