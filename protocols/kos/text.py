"""The Key Object Description of a manifest: the lines that a consumer shows before any image.

`Examen : <label>`, `Acte = <act>`, then `Série-<uid> : <modality> @ <region> : <description>` per
series. Source: DRIM-M_DATA sample manifests ("informatif/KIN"), grade `sample`. Older files write
`Serie-` and no `@`: both are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Description", "SeriesLine", "format_description", "parse_description"]

_SERIES = re.compile(r"S[ée]rie-([0-9.]+)\s*:(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """One series: what a reader knows of it without opening it."""

    series_uid: str
    modality: str = ""
    region: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """The whole text. `other` keeps the lines that follow no known form."""

    exam: str | None = None
    acts: tuple[str, ...] = ()
    series: tuple[SeriesLine, ...] = ()
    other: tuple[str, ...] = ()


def format_description(description: Description) -> str:
    """The text, lines separated by LF as in the samples."""
    lines = []
    if description.exam is not None:
        lines.append(f"Examen : {description.exam}")
    lines.extend(f"Acte = {act}" for act in description.acts)
    lines.extend(
        f"Série-{line.series_uid} : {line.modality} @ {line.region} : {line.description}"
        for line in description.series
    )
    lines.extend(description.other)
    return "\n".join(lines)


def parse_description(text: str) -> Description:
    """What the lines of `text` say. Never raises: an unknown line is kept in `other`."""
    exam: str | None = None
    acts: list[str] = []
    series: list[SeriesLine] = []
    other: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line.strip():
            continue
        matched = _SERIES.match(line)
        if matched is not None:
            series.append(_series_line(matched[1], matched[2]))
        elif exam is None and (label := _after(line, "Examen", ":")) is not None:
            exam = label
        elif (act := _after(line, "Acte", "=")) is not None:
            acts.append(act)
        else:
            other.append(line)
    return Description(exam, tuple(acts), tuple(series), tuple(other))


def _after(line: str, word: str, separator: str) -> str | None:
    head, found, tail = line.partition(separator)
    return tail.strip() if found and head.strip() == word else None


def _series_line(uid: str, rest: str) -> SeriesLine:
    """`<modality> @ <region> : <description>`, any of the last two possibly missing."""
    place, found, tail = rest.partition(" @ ")
    if not found:
        modality, _, description = rest.partition(":")
        return SeriesLine(uid, modality.strip(), "", description.strip())
    region, _, description = tail.partition(" : " if " : " in tail else ":")
    return SeriesLine(uid, place.strip(), region.strip(), description.strip())
