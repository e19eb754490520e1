"""One box at a time on a state folder: two would publish the same submissions and number versions
alike.

The lock is the operating system's own (`filelock`): a crash, or a power cut, lets it go.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from drimbox_ref.config import Box, ConfigError

__all__ = ["held"]


@contextmanager
def held(box: Box, role: str, *, file: Path) -> Iterator[None]:
    """Hold the state folder of a box of that role; `file` is its configuration.

    `ROLE.lock` is what is locked, `ROLE.pid` says by whom: a locked file cannot be read everywhere.

    Raises:
        ConfigError: another process holds it, or the folder cannot be written to.
    """
    lock, holder = FileLock(box.state / f"{role}.lock"), box.state / f"{role}.pid"
    try:
        box.state.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
        holder.write_text(f"{os.getpid()}\n", encoding="ascii")
    except Timeout:
        found = f"{box.state}, tenu par {_named(holder)}"
        expected = f"un dossier dont aucune autre DRIMbox {role.capitalize()} ne se sert"
        raise ConfigError(file, "box.state", expected, found) from None
    except OSError as error:
        lock.release()
        reason = f"{box.state} ({error.strerror})"
        raise ConfigError(file, "box.state", "un dossier où écrire", reason) from error
    try:
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _named(holder: Path) -> str:
    try:
        return f"le processus {int(holder.read_text(encoding='ascii'))}"
    except (OSError, ValueError):
        return "un autre processus"
