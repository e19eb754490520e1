"""How a command ends: its exit code, its refusal, its one JSON document."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from bench import concealed
from bench.verdicts import ExitCode

__all__ = ["Finished", "print_json", "refuse"]


class Finished(Exception):
    """A command is over, with that exit code.

    Not a SystemExit: the command parser's own says 2 where we say 64, and 2 means open here.
    """

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code)
        self.code = code


def print_json(document: Any) -> None:
    """One document on standard output, and nothing else."""
    shown = concealed.in_values(document)
    sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2) + "\n")


def refuse(message: str) -> NoReturn:
    """Say why on standard error; the command ends with 64.

    Raises:
        Finished: always.
    """
    sys.stderr.write(f"drimbench : {concealed.in_text(message)}\n")
    raise Finished(ExitCode.USAGE)
