"""The reference DRIMbox, Source side: publishes KOS for reports, serves images over WADO-RS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drimbox_ref.source.config import SourceConfig
    from drimbox_ref.source.parts import Parts

__all__ = ["main", "run"]


def identity(parts: Parts) -> Parts:
    """Change nothing: the right box."""
    return parts


def run(config: SourceConfig, ready: Path, transform: Callable[[Parts], Parts] = identity) -> int:
    """Run a Source until it is told to stop; the exit code.

    `transform` replaces parts before anything starts: this is how wrong boxes are made.

    Raises:
        ConfigError: a certificate or key is not what the configuration says, or another process
            uses the state folder.
    """
    # Imported here: whoever needs one value of this side must not load the whole box.
    from drimbox_ref.holding import held
    from drimbox_ref.process import run_service
    from drimbox_ref.source.compose import assemble, build_parts
    from drimbox_ref.usage import recorded

    with held(config.box, "source", file=config.file):
        foundation, right = build_parts(config)
        parts = recorded(transform(right), "source", config.box.usage)
        service = assemble(foundation, parts, config, ready)
        return run_service(service, role="source", ready=ready)


def main(config: Path, ready: Path) -> int:
    """Run a Source from its configuration file.

    Raises:
        ConfigError: see `drimbox_ref.source.config.load`.
    """
    from drimbox_ref.source.config import load

    return run(load(config), ready)
