"""The durable state of a Source: which tables, where."""

from __future__ import annotations

from drimbox_ref import names, trail
from drimbox_ref.config import open_state
from drimbox_ref.database import Database
from drimbox_ref.source import tables
from drimbox_ref.source.config import SourceConfig

__all__ = ["open_database"]


def open_database(config: SourceConfig) -> Database:
    """The database of a Source.

    Raises:
        ConfigError: it cannot be used.
    """
    schemas = (tables.SCHEMA, names.SCHEMA, trail.SCHEMA)
    return open_state(config.box, "source.sqlite", *schemas, file=config.file)
