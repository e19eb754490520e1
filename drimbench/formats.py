"""The formats in which `validate` and `cross` tell what they found."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drimbench.judging import Judged

__all__ = ["Format", "write"]


class Format(StrEnum):
    """Of `--format`; `--json` is short for the second."""

    HUMAN = "human"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


def write(
    judged: Sequence[Judged],
    format: Format,
    *,
    human: Callable[[], None],
    document: Callable[[], Any],
) -> None:
    """Write to standard output; `human` and `document` make what differs from one command to
    the other: what a person reads and the JSON document."""
    match format:
        case Format.HUMAN:
            human()
        case Format.JSON:
            _print(document())
        case Format.SARIF:
            from drimbench.sarif import as_sarif

            _print(as_sarif(judged))
        case Format.JUNIT:
            from drimbench.judged_junit import as_junit

            sys.stdout.write(as_junit(judged).decode("utf-8"))


def _print(document: Any) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
