"""Sources that a few people at the door are enough to close, or that take what anybody hands."""

from __future__ import annotations

import re
import ssl
from dataclasses import replace
from typing import Any, ClassVar
from weakref import WeakSet

from drimbox_ref.source.parts import Parts
from mutants.registry import mutant
from mutants.source.handshake import Tuned

__all__: list[str] = []

_SEATS = 100
_HANDED = re.compile(rb"POST /importKOS HTTP")


class Seated(ssl.SSLObject):
    """A session that needs one of a hundred seats until its handshake is over."""

    waiting: ClassVar[WeakSet[Seated]] = WeakSet()

    @classmethod
    def _create(cls, *arguments: Any, **named: Any) -> Seated:
        made: Seated = super()._create(*arguments, **named)  # type: ignore[misc]
        cls.waiting.add(made)
        return made

    def do_handshake(self) -> None:
        """As it should, with whoever has a seat."""
        if len(self.waiting) > _SEATS:
            raise ssl.SSLError("no seat")
        super().do_handshake()
        self.waiting.discard(self)


def _seated(context: ssl.SSLContext) -> None:
    context.sslobject_class = Seated


@mutant(
    "cent-poignees-de-main",
    breaks="Cent connexions muettes suffisent à ce que la Source ne réponde plus à personne.",
    requirements=("KIT-SEC-TLS-28",),
    consequences=("DB.CO.77", "KIT-SEC-DIC-06", "KIT-SEC-TOK-26"),
)
def hundred_seats(parts: Parts) -> Parts:
    """A pool of threads, one for each connection."""
    return replace(parts, door=Tuned(parts.door, _seated))


class Taking(ssl.SSLObject):
    """A session behind which the import of the demonstrator still answers."""

    def read(self, *arguments: Any) -> Any:
        """What is handed over is acknowledged as the service describes itself: 200."""
        data = super().read(*arguments)
        if not isinstance(data, bytes):
            return data
        return _HANDED.sub(b"OPTIONS /drimbox/rs HTTP", data, count=1)


def _taking(context: ssl.SSLContext) -> None:
    context.sslobject_class = Taking


@mutant(
    "import-ouvert",
    breaks="L'import de KOS accepte (200) ce que lui remet un appelant non authentifié.",
    requirements=("KIT-SEC-ARC-02",),
)
def open_import(parts: Parts) -> Parts:
    """As the ANS demonstrator did."""
    return replace(parts, door=Tuned(parts.door, _taking))
