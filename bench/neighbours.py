"""What each neighbour of a box is: simulated here, real and out of sight, or real and tapped.

One line each in a profile: `simulé`, `externe ADDRESS`, `écouté ADDRESS`. What the bench then
cannot see or do is said here, once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict

from spec.hl7v2 import REPORT_MESSAGES

__all__ = ["TLS_NEIGHBOURS", "Manner", "Neighbour", "Neighbours", "unseen"]


class Manner(StrEnum):
    """How a neighbour is there."""

    SIMULATED = "simulé"
    EXTERNAL = "externe"
    """A real one; the boxes reach it directly."""
    TAPPED = "écouté"
    """A real one; the boxes reach it through the bench, which records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One neighbour, as a line of the profile says it."""

    name: str
    manner: Manner = Manner.SIMULATED
    url: str = ""
    """Of an HTTPS one: the DMP's services, PSC's issuer, the white list."""
    host: str = ""
    port: int = 0
    ae_title: str = ""

    @property
    def simulated(self) -> bool:
        """Whether the bench plays it."""
        return self.manner is Manner.SIMULATED

    def cannot(self, what: str) -> str:
        """Why a step that needs a simulator cannot be verified, in French."""
        return f"le voisin {self.name} est {self.manner.value} : le banc {what}"

    @property
    def unseen(self) -> str:
        """Why what it exchanges cannot be verified."""
        return self.cannot("ne voit pas ses échanges")

    @property
    def faultless(self) -> str:
        """Why it cannot be made faulty."""
        return self.cannot("ne sait pas simuler cette panne")


TLS_NEIGHBOURS = ("dmp", "psc", "ans")
"""Those that a tap reads only with papers of its own."""
_HTTPS = re.compile(r"https://[^\s/?#@]+(/[^\s?#]*)?")
_DICOM = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/]+):(?P<port>[0-9]{1,5}) (?P<ae>\S.{0,15})")
_EXPECTED = {
    "ris": "« simulé », « externe » ou « écouté »",
    **dict.fromkeys(
        ("pacs", "local_pacs"), "« simulé », « externe ADRESSE:PORT AE » ou « écouté … »"
    ),
    **dict.fromkeys(TLS_NEIGHBOURS, "« simulé », « externe https://… » ou « écouté https://… »"),
}


def _read(name: str, line: str) -> Neighbour:
    """What a line says.

    Raises:
        ValueError: it is none of those expected for that neighbour.
    """
    word, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if word not in tuple(Manner):
        raise ValueError(f"{_EXPECTED[name]} attendu")
    manner = Manner(word)
    if manner is Manner.SIMULATED or name == "ris":
        if rest:
            raise ValueError(f"{_EXPECTED[name]} attendu, sans adresse")
        return Neighbour(name=name, manner=manner)
    if name in TLS_NEIGHBOURS and _HTTPS.fullmatch(rest):
        parts = urlsplit(rest)
        return Neighbour(
            name=name, manner=manner, url=rest, host=parts.hostname or "", port=parts.port or 443
        )
    found = _DICOM.fullmatch(rest)
    if name not in TLS_NEIGHBOURS and found and int(found["port"]) < 65536:
        return Neighbour(
            name=name, manner=manner, host=found["host"].strip("[]"), port=int(found["port"]),
            ae_title=found["ae"],
        )  # fmt: skip
    raise ValueError(f"{_EXPECTED[name]} attendu")


def _line(name: str) -> object:
    def checked(line: str) -> str:
        _read(name, line)
        return line

    return AfterValidator(checked)


class Neighbours(BaseModel):
    """The lines of a profile. The authority (IGC) is the bench's: it issues what all show."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ris: Annotated[str, _line("ris")] = Manner.SIMULATED.value
    pacs: Annotated[str, _line("pacs")] = Manner.SIMULATED.value
    local_pacs: Annotated[str, _line("local_pacs")] = Manner.SIMULATED.value
    dmp: Annotated[str, _line("dmp")] = Manner.SIMULATED.value
    psc: Annotated[str, _line("psc")] = Manner.SIMULATED.value
    ans: Annotated[str, _line("ans")] = Manner.SIMULATED.value

    def of(self, name: str) -> Neighbour:
        """What a line says."""
        return _read(name, getattr(self, name))

    @property
    def real(self) -> tuple[Neighbour, ...]:
        """Those that the bench does not play."""
        every = (self.of(name) for name in type(self).model_fields)
        return tuple(one for one in every if not one.simulated)


_TRANSACTIONS: Mapping[str, tuple[str, ...]] = {
    "ris": REPORT_MESSAGES,
    "pacs": ("C-FIND", "C-MOVE"),
    "local_pacs": ("C-STORE",),
    "dmp": ("TD0.2", "TD0.3", "ITI-18", "ITI-41", "ITI-43", "ITI-57", "API-PSC-token"),
    "psc": (
        "introspection",
        "PSC-discovery",
        "PSC-JWKS",
        "PSC-token",
        "PSC-refresh",
        "PSC-userinfo",
        "PSC-revoke",
        "PSC-authorize",
        "PSC-logout",
        "PSC-CIBA",
        "PSC-CIBA-poll",
    ),
    "ans": ("liste-blanche",),
}
"""Neighbour -> what it exchanges with a box, as its simulator names it."""


def unseen(neighbours: Neighbours, readable: Collection[str]) -> dict[str, str]:
    """Transaction -> why the bench sees none of it, for what it does not see.

    `readable` names the tapped neighbours whose TLS the bench has papers to end.
    """
    blind: dict[str, str] = {}
    for one in neighbours.real:
        sealed = one.name in TLS_NEIGHBOURS and one.name not in readable
        if one.manner is Manner.EXTERNAL:
            reason = one.unseen
        elif sealed:
            reason = one.cannot("n'a pas de papiers pour lui, et ne voit que ses connexions")
        else:
            continue
        blind.update(dict.fromkeys(_TRANSACTIONS[one.name], reason))
    return blind
