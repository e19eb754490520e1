"""What an administrator types for a Consumer."""

from __future__ import annotations

from pathlib import Path

from drimbox_ref import names, trail
from drimbox_ref.commands import Held, application
from drimbox_ref.config import open_state
from drimbox_ref.consumer.config import load

__all__ = ["app"]


def _opened(config: Path) -> Held:
    read = load(config)
    schemas = (trail.SCHEMA, names.SCHEMA)
    return Held(read.box, open_state(read.box, "consumer.sqlite", *schemas, file=read.file))


app = application(_opened, "Consumer")
