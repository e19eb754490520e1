"""The reference DRIMbox, Consumer side: finds the KOS of a patient, exports exams to the PACS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drimbox_ref.consumer.config import ConsumerConfig
    from drimbox_ref.consumer.parts import Parts

__all__ = ["main", "run"]


def identity(parts: Parts) -> Parts:
    """Change nothing: the right box."""
    return parts


def run(config: ConsumerConfig, ready: Path, transform: Callable[[Parts], Parts] = identity) -> int:
    """Run a Consumer until it is told to stop; the exit code.

    `transform` replaces parts before anything starts: this is how wrong boxes are made.

    Raises:
        ConfigError: a certificate or key is not what the configuration says, or another process
            uses the state folder.
    """
    # Imported here: whoever needs one value of this side must not load the whole box.
    from drimbox_ref.consumer.compose import assemble, build_parts
    from drimbox_ref.holding import held
    from drimbox_ref.process import run_service
    from drimbox_ref.usage import recorded

    with held(config.box, "consumer", file=config.file):
        foundation, right = build_parts(config)
        parts = recorded(transform(right), "consumer", config.box.usage)
        service = assemble(foundation, parts, config, ready)
        return run_service(service, role="consumer", ready=ready)


def main(config: Path, ready: Path) -> int:
    """Run a Consumer from its configuration file.

    Raises:
        ConfigError: see `drimbox_ref.consumer.config.load`.
    """
    from drimbox_ref.consumer.config import load

    return run(load(config), ready)
