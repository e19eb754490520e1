"""The reports that a command writes of a run: the page, and JUnit beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.results import Run
    from drimbench.api import Projection

from drimbench.ending import refuse
from drimbench.plugins import PluginError, installed

__all__ = ["chosen_projections", "project", "write_reports"]


def chosen_projections(names: Sequence[str]) -> dict[str, Projection]:
    """The plug-ins' projections of these names.

    Raises:
        PluginError: nobody brings one of them; says which there are.
    """
    known = {name: made for one in installed() for name, made in one.projections.items()}
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known)) or "aucune"
            raise PluginError(f"--projection {name} : inconnue ; installées : {there}")
    return {name: known[name] for name in names}


def project(run: Run, folder: Path, projections: Mapping[str, Projection]) -> None:
    """Write what plug-ins make of a run beside its reports.

    Raises:
        Finished: one of them broke; the reports are written all the same.
    """
    for name, made in projections.items():
        try:
            made(run, folder)
        except Exception as error:  # somebody else's code: told as theirs, not as ours
            refuse(f"projection {name} : {type(error).__name__} : {error}")


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
