"""Annotated messages: from an exchange to sections of named fields, lines and trees, as data."""
