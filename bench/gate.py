"""The gate between feature files and what pytest-bdd collects: nothing may vanish silently.

pytest-bdd makes one test of two scenarios with the same title, and none of an unbound file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from gherkin.errors import CompositeParserException
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler

from bench.errors import BenchError

__all__ = ["ROLES", "SECURITY", "FeatureError", "Pickle", "check_features", "pickles", "place"]

ROLES = frozenset({"source", "consumer"})
"""Tags that say which box a scenario tests."""

SECURITY = "securite"
"""The domain of the attacks on a box, played when they are asked for; and the suite of whatever
plays one, in other domains as well."""

_DOMAINS = ("publication", "images", "consultation", SECURITY)


class FeatureError(BenchError):
    """A feature file is broken; names file and line."""


@dataclass(frozen=True, slots=True)
class Pickle:
    """One scenario as Gherkin itself sees it, outlines expanded."""

    file: Path
    line: int
    title: str
    tags: tuple[str, ...]

    @property
    def scenario(self) -> str:
        """Its own id tag, without the at sign, or ""."""
        return next((tag for tag in self.tags if tag.startswith("SCN-")), "")

    @property
    def domain(self) -> str:
        """The folder of its file."""
        return self.file.parent.name


def place(file: Path, line: int) -> tuple[int, str, int]:
    """Where a scenario stands in a campaign, to sort by: publication first, for the rest of the
    chain needs it; then by file and line."""
    domain = file.parent.name
    rank = _DOMAINS.index(domain) if domain in _DOMAINS else len(_DOMAINS)
    return rank, file.name, line


def pickles(*features: Path) -> Iterator[Pickle]:
    """Every scenario of every feature file below these directories.

    Raises:
        FeatureError: not Gherkin.
    """
    for file in (file for one in features for file in sorted(one.rglob("*.feature"))):
        found = file.stat()
        yield from _pickles_of(file, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=256)
def _pickles_of(file: Path, modified_ns: int, size: int) -> tuple[Pickle, ...]:
    """Those of a file that was last written then: a campaign asks again and again."""
    try:
        document: Any = Parser().parse(file.read_text(encoding="utf-8"))
    except CompositeParserException as error:
        raise FeatureError(f"{file} : {error}") from None
    document["uri"] = str(file)
    lines = {
        node["scenario"]["id"]: node["scenario"]["location"]["line"]
        for child in document["feature"]["children"]
        for node in (child, *child.get("rule", {}).get("children", []))
        if "scenario" in node
    }
    return tuple(
        Pickle(
            file=file,
            line=lines.get(pickle["astNodeIds"][0], 0),
            title=pickle["name"],
            tags=tuple(tag["name"].removeprefix("@") for tag in pickle["tags"]),
        )
        for pickle in Compiler().compile(document)
    )


def check_features(*features: Path) -> list[Pickle]:
    """All the scenarios of these directories, each with one id tag of its own.

    Raises:
        FeatureError: a directory without scenario, a title used twice in a file, an id missing
            or used twice.
    """
    found: list[Pickle] = []
    for one in features:
        before = len(found)
        found += pickles(one)
        if len(found) == before:
            raise FeatureError(f"{one} : aucun scénario")
    titles = Counter((pickle.file, pickle.title) for pickle in found)
    ids = Counter(pickle.scenario for pickle in found)
    for pickle in found:
        place = f"{pickle.file}, ligne {pickle.line}"
        if titles[pickle.file, pickle.title] > 1:
            raise FeatureError(f"{place} : titre utilisé deux fois : « {pickle.title} »")
        if not pickle.scenario:
            raise FeatureError(f"{place} : étiquette d'identité @SCN-… absente")
        if ids[pickle.scenario] > 1:
            raise FeatureError(f"{place} : identité utilisée deux fois : @{pickle.scenario}")
    return found
