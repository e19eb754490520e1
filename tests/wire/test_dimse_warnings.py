"""What is warned of a peer's values is not kept: a service that runs for weeks meets many."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WARN = """
import sys
{before}
from pynetdicom.pdu_items import AbstractSyntaxSubItem
for number in range(100):
    AbstractSyntaxSubItem().abstract_syntax_name = f"1.x{{number}}".encode()
kept = sum(len(getattr(one, "__warningregistry__", ())) for one in list(sys.modules.values()))
print(kept)
"""


def kept(before: str) -> int:
    """How many warnings Python remembers, in a process of its own: pytest has its own filters."""
    done = subprocess.run(
        [sys.executable, "-c", WARN.format(before=before)],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    return int(done.stdout)


def test_no_warning_is_remembered() -> None:
    assert kept("import wire.dimse") < 5


def test_they_would_be() -> None:
    assert kept("") > 90
