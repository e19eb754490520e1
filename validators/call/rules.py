"""The rule set of the contextual call, and the texts that its rules quote."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.multipart import Headers
from spec.grade import Grade, Reference
from validators.call.reading import CallArtefact
from validators.carriage import host_rule
from validators.examples import call as example
from validators.rule import Broken, RuleSet

__all__ = ["CALL", "DRAFT", "FAQ", "FORM", "OWN", "PROGRAMS", "Findings"]

Findings = Iterator[Broken]

DRAFT = Reference("REM DRIM-M (projet 2022-2023)", "DB.CO.48, DB/RIS.13", Grade.DRAFT)
FAQ = Reference("FAQ des industriels ANS", "appel contextuel", Grade.FAQ)
FORM = Reference("WHATWG URL", "application/x-www-form-urlencoded", Grade.STANDARD)
PROGRAMS = Reference(
    "TestServer-AppelContextuel et démonstrateur DRIM-M (ANS)", "2024", Grade.DEMONSTRATOR
)
OWN = Reference("Lecture de drimbench", grade=Grade.INFERRED)

CALL = RuleSet(
    "appel-contextuel",
    good=example.call,
    syntax="APPEL-000",
    unreadable=lambda: b'{"PatientID": "IPP900"}',
    reference=PROGRAMS,
    requirements=("DB.CO.48",),
)


def _head(call: CallArtefact) -> tuple[str, Headers]:
    sent = call.request
    return ("", ()) if sent is None else (sent.start_line, sent.headers)


host_rule(CALL, _head)
