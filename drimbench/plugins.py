"""The plug-ins installed beside drimbench: found, checked, made known.

Each is the entry point of a distribution; nothing is imported when there is none. What one brings
must not take the place of something that exists: a clash is said, and nothing runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from bench.errors import BenchError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from drimbench.api import Plugin

# `--help` and `validate` start at once: the API is only imported for who has a plug-in.

__all__ = ["GROUP", "PluginError", "installed"]

GROUP = "drimbench.plugins"


class PluginError(BenchError):
    """A plug-in cannot be used; names its distribution."""


@cache
def installed() -> tuple[Plugin, ...]:
    """The plug-ins, by name; the kinds and rules that they bring are known from then on.

    Raises:
        PluginError: one cannot be imported, is no `Plugin`, or clashes with something.
    """
    from importlib.metadata import entry_points

    found = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    plugins = tuple(_load(point) for point in found)
    if plugins:
        _check(plugins)
        _register(plugins)
    return plugins


def _load(point: EntryPoint) -> Plugin:
    from drimbench.api import Plugin

    where = f"greffon « {point.name} » ({point.dist.name if point.dist else '?'}, {point.value})"
    try:
        loaded = point.load()
    except Exception as error:  # somebody else's code: whatever it raises is told, and stops here
        raise PluginError(f"{where} : {type(error).__name__} : {error}") from error
    if not isinstance(loaded, Plugin):
        raise PluginError(
            f"{where} : un drimbench.api.Plugin est attendu, trouvé {type(loaded).__name__}"
        )
    if loaded.features is not None and not loaded.features.is_dir():
        raise PluginError(f"{where} : {loaded.features} n'est pas un dossier de scénarios")
    return loaded


def _check(plugins: Sequence[Plugin]) -> None:
    from bench.drivers import DRIVERS
    from validators.api import KINDS

    _once("greffon", (one.name for one in plugins))
    _once("sorte d'artefact", (*KINDS, *(kind.name for one in plugins for kind in one.kinds)))
    _once("pilote", (*DRIVERS, *(name for one in plugins for name in one.drivers)))
    _once("projection", (name for one in plugins for name in one.projections))


def _once(what: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise PluginError(f"{what} défini deux fois : {', '.join(sorted(twice))}")


def _register(plugins: Sequence[Plugin]) -> None:
    from validators.api import KINDS

    KINDS.update({kind.name: kind for one in plugins for kind in one.kinds})
