"""Every field, component and subcomponent of an HL7 v2 message, altered one at a time.

Written on the bytes, without our own parser: a reader that lost a field could not hide it here.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.alterations.model import ABSENT, DOUBLED, EMPTY, OTHER, Alteration

__all__ = ["alterations"]

_OTHER = "KIT"


def alterations(good: bytes) -> Iterator[Alteration]:
    """Segments left out or doubled; leaves emptied or replaced."""
    segments = good.decode().rstrip("\r").split("\r")
    counts: dict[str, int] = {}
    for index, segment in enumerate(segments):
        fields = segment.split("|")
        name = fields[0]
        counts[name] = counts.get(name, 0) + 1
        place = f"{name}[{counts[name]}]"

        def message(*lines: str, at: int = index) -> bytes:
            return "".join(f"{s}\r" for s in [*segments[:at], *lines, *segments[at + 1 :]]).encode()

        yield Alteration(place, ABSENT, message())
        yield Alteration(place, DOUBLED, message(segment, segment))
        # MSH-1 is the separator itself: the first piece behind it is MSH-2.
        for position, field in enumerate(fields[1:], start=1):
            number = position + (name == "MSH")
            if not field or (name == "MSH" and number == 2):
                continue
            for path, change, text in _leaves(field):
                edited = "|".join([*fields[:position], text, *fields[position + 1 :]])
                yield Alteration(f"{place}-{number}{path}", change, message(edited))


def _leaves(field: str) -> Iterator[tuple[str, str, str]]:
    """Path behind the field's number, change, whole text of the field."""
    repetitions = field.split("~")
    if any(separator in field for separator in "~^&"):
        yield "", EMPTY, ""
    for r, repetition in enumerate(repetitions):
        rank = f"({r + 1})" if len(repetitions) > 1 else ""
        components = repetition.split("^")
        for c, component in enumerate(components):
            parts = component.split("&")
            for s, part in enumerate(parts):
                if not part:
                    continue
                path = rank
                if len(components) > 1 or len(parts) > 1:
                    path += f".{c + 1}"
                if len(parts) > 1:
                    path += f".{s + 1}"
                for change, value in ((EMPTY, ""), (OTHER, _OTHER)):
                    subs = "&".join([*parts[:s], value, *parts[s + 1 :]])
                    comps = "^".join([*components[:c], subs, *components[c + 1 :]])
                    yield (
                        path,
                        change,
                        "~".join([*repetitions[:r], comps, *repetitions[r + 1 :]]),
                    )
