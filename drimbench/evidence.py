"""The reports that a command writes of a run: the page, and JUnit beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.results import Run

__all__ = ["write_reports"]


def write_reports(run: Run, folder: Path, *, har: bool = False) -> Path:
    """Write `rapport.html` and `junit.xml` in a folder; the path of the page.

    With `har`, the HTTP exchanges too, as `echanges.har`.

    Raises:
        OSError: the folder cannot be written.
    """
    from reports.html import write_html
    from reports.junit import write_junit

    if har:
        from reports.har import write_har

        write_har(run, folder / "echanges.har")
    folder.mkdir(parents=True, exist_ok=True)
    write_junit(run, folder / "junit.xml")
    return write_html(run, folder / "rapport.html")
