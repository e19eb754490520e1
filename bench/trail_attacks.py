"""What is asked for so that a trail tells a line that never was (TRC-01).

A trail is read by people and by programs, line after line or record after record. Each attempt
carries, behind what ends a line somewhere, a line as an access by somebody else would leave: it may
be kept as text within a record, never as a record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import quote

from bench.administration import Administration
from bench.attacking import Attacking, Attempt
from bench.attending import ask
from simulators.peer import Retrieved

__all__ = ["ENDS", "TrailAttacks", "forged_in"]

ENDS: Mapping[str, str] = MappingProxyType(
    {
        "CR LF": "\r\n",
        "LF": "\n",
        "CR": "\r",
        "tabulation": "\t",
        "séparateur Unicode U+2028": "\u2028",
        "ligne suivante U+0085": "\u0085",
        "saut de page": "\f",
        "échappement de terminal": "\x1b[2K\r",
        "octet nul": "\0",
    }
)
"""Words -> what ends a line, or hides one, for some reader."""

_FORGED = "KIT-FORGE ITI-43 0"
"""How the line begins that never was."""
_LEADING = re.compile(r"^(?:[\s\0]|\x1b\[[0-9;]*[A-Za-z])+")
"""What is not seen at the beginning of a line."""
_IN_HEADERS = "\t\u0085\u2028"
"""Those that a header may carry, as tabs and octets above 127 (RFC 9110, 5.5)."""


@dataclass(slots=True)
class TrailAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`."""

    attacking: Attacking

    # -- Quand -------------------------------------------------------------------------------

    def name(self, words: Iterable[str]) -> None:
        """The series by a UID that goes on behind each of these; the KOS too, by a header, where a
        header may carry it."""
        self.attacking.play(one for word in words for one in self._attempts(word, ENDS[word]))

    def _attempts(self, word: str, end: str) -> Iterator[Attempt]:
        imaging = self.attacking.imaging
        good = imaging.good_manners()
        line = f"{end}{_FORGED} {imaging.exam.study_uid}"
        # A front end may refuse it before it is a request for images.
        yield Attempt(words=f"{word}, dans l'adresse", play=self._addressed(line), traced=False)
        if end in _IN_HEADERS:
            manners = replace(good, kos_uid=f"{good.kos_uid}{line}")
            yield Attempt(
                words=f"{word}, dans l'identifiant du KOS",
                play=lambda: self.attacking.ask(manners=manners),
                traced=False,
            )

    def _addressed(self, line: str) -> Callable[[], Retrieved]:
        imaging = self.attacking.imaging
        bed, exam = imaging.story.bed, imaging.exam

        def play() -> Retrieved:
            peer = bed.peer(bed.papers.clients["peer"])
            url = imaging.url(exam.study_uid, exam.series[0].uid) + quote(line, safe="")
            return bed.call(peer.retrieve, url, imaging.good_manners())

        return play

    # -- Alors -------------------------------------------------------------------------------

    def expect_none_forged(self) -> None:
        """The trail has no such line, and no such record; a person looks where the bench may not
        read it."""
        imaging = self.attacking.imaging
        administration: Administration = imaging.administration
        stage = imaging.story.stage
        if not administration.address:
            ask(stage, f"aucune ligne de la trace ne commence par « {_FORGED} »")
            return
        kind, text = administration.text("audit")
        found = list(forged_in(kind, text, _FORGED))
        stage.expect(
            "aucune ligne de la trace n'est forgée",
            not found,
            expected=f"« {_FORGED} » au sein d'une valeur, tout au plus",
            actual=" ; ".join(found[:3]) or "aucune",
        )


def forged_in(kind: str, text: str, line: str) -> Iterator[str]:
    """The places of a page where that line stands by itself: in JSON, a value that begins with it,
    which some record holds as its own; elsewhere, behind whatever ends a line for some reader.

    Args:
        kind: the page's media type.
    """
    if "json" in kind:
        try:
            document = json.loads(text)
        except ValueError:
            pass
        else:
            for place, value in _leaves(document, "$"):
                if value.startswith(line):
                    yield f"{place} : {value[:80]}"
            return
    for number, one in enumerate(text.splitlines(), 1):
        if _LEADING.sub("", one).startswith(line):
            yield f"ligne {number} : {one[:80]}"


def _leaves(value: object, place: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield place, value
        case Mapping():
            for name, inner in value.items():
                yield from _leaves(inner, f"{place}.{name}")
        case list():
            for rank, inner in enumerate(value):
                yield from _leaves(inner, f"{place}[{rank}]")
        case _:
            pass
