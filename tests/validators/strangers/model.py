"""Other people's programs, and what makes a disagreement with them.

What a stranger refuses and we accept is a mistake of ours, or a difference that a test names with
its reason. What we refuse and they accept proves nothing: no stranger knows the French profile.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.alterations.model import Alteration
from validators.api import validate
from validators.finding import Severity

__all__ = ["disagreements", "noticed", "program", "undeclared"]


def program(name: str) -> str:
    """Its path, from the system or from the interop extra; skips by its name."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"programme absent : {name}")
    return found


def noticed(data: bytes, kind: str) -> bool:
    """Whether our judge warns of anything."""
    return any(f.severity is not Severity.INFO for f in validate(data, kind).findings)


def disagreements(
    altered: Iterable[Alteration],
    refuses: Callable[[bytes], bool],
    accepted: Callable[[bytes], bool],
) -> list[str]:
    """What a stranger refuses and we accept."""

    def differs(one: Alteration) -> str | None:
        return one.name if refuses(one.data) and accepted(one.data) else None

    with ThreadPoolExecutor(2) as pool:
        return [name for name in pool.map(differs, altered) if name]


def undeclared(data: bytes) -> bytes:
    """Without XML declaration: an assertion goes back into its envelope."""
    return data.partition(b"?>\n")[2] if data.startswith(b"<?xml") else data
