"""Projections of a judged run (HTML, JUnit XML, JSON, console): readers of `bench.results`."""
