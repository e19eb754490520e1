"""The producer's own style sheet, run where it can do no harm.

XSLT is a program: it loops, opens files and grows without end. It runs in a process of its own with
limits of time and memory, without environment, file, network, import or extension element
(`transforming`); what it writes is shown in a sandboxed frame like any other document.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

__all__ = ["StyleRefused", "apply"]

_PROGRAM = Path(__file__).with_name("transforming.py")
_SECONDS = 15.0
"""Longer than the processor time that the child allows itself: a child that waits is killed too."""


class StyleRefused(Exception):
    """The style sheet could not be used. French, for the trail."""


async def apply(data: bytes) -> bytes:
    """The HTML that a self-presenting document makes of itself.

    Raises:
        StyleRefused: forbidden, faulty, too long, too large.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
    )
    try:
        html, said = await asyncio.wait_for(child.communicate(data), _SECONDS)
    except TimeoutError:
        raise StyleRefused(f"interrompue après {_SECONDS:g} s") from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        raise StyleRefused(last[0][:200] if last else f"arrêtée (code {child.returncode})")
    return html
