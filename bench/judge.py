"""Which validator judges which side of an exchange: only what a box under test emitted.

A Source emits acknowledgements, submissions, images; a Consumer emits requests for images. What
the bench itself emits is the bench's affair and is judged by its own tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bench.cases import PURPOSE
from bench.submissions import package, submitted_documents
from protocols import kos
from protocols.errors import RemoteProtocolError
from spec.hl7v2 import REPORT_MESSAGES
from spec.wado import KOS_HEADER
from validators.api import CheckerError, Context, judge, validate
from validators.demands import Demands
from validators.finding import Cause, Finding, Severity
from validators.wado import WadoPart, WadoResponse
from wire.exchange import Direction, Exchange, Outcome, Payload

__all__ = ["images_of", "judge_scenario", "kind_of", "message"]

_SOAP: Mapping[str, frozenset[str]] = {
    "ITI-18": frozenset({"source", "consumer"}),
    "ITI-43": frozenset({"consumer"}),
    "ITI-57": frozenset({"source"}),
    "TD0.2": frozenset({"consumer"}),
}
"""Transaction of the DMP -> the roles that ask for it; its requests are judged under its name."""

_FORMS: Mapping[str, tuple[str, str]] = {
    "API-PSC-token": ("consumer", "echange-jeton"),
    "PSC-token": ("consumer", "demande-jeton"),
    "PSC-refresh": ("consumer", "demande-jeton"),
    "PSC-CIBA-poll": ("consumer", "demande-jeton"),
    "introspection": ("source", "demande-introspection"),
}
"""Transaction with a token server -> the role that asks, the kind of what it asks."""

_PURPOSES: Mapping[str, Literal["", "export", "viewing"]] = {
    "export": "export",
    "viewing": "viewing",
}
"""What the rules know of the purpose of images; of a choice of the professional, nothing."""
_OVER_TLS = Context(demands=Demands(schemes=("https",)))
"""A file alone may name any scheme; here DRIMboxes meet, and over TLS alone (DB.SO.90)."""


def judge_scenario(
    exchanges: Sequence[tuple[str, Exchange]], roles: frozenset[str], case: Mapping[str, str]
) -> list[tuple[str, Finding]]:
    """Pairs (exchange id, finding) on what the boxes under test said in one scenario.

    `roles` are those under test, `case` the scenario's public identifiers.
    """
    scene = _Scene(roles, case, _manifests(exchange for _, exchange in exchanges))
    return [(id, finding) for id, exchange in exchanges for finding in scene.findings(exchange)]


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a judge knows beside the exchange: who is judged, the patient, the KOS published."""

    roles: frozenset[str]
    case: Mapping[str, str]
    manifests: Mapping[str, bytes]
    """SOPInstanceUID -> KOS file."""

    def findings(self, exchange: Exchange) -> Iterator[Finding]:
        """What is wrong with what a box under test emitted in this exchange."""
        try:
            yield from self._findings(exchange)
        except CheckerError as error:
            yield Finding(
                rule=error.rule,
                severity=Severity.INFO,
                message=f"la règle s'est arrêtée : {error}",
                cause=Cause.BENCH,
            )

    def _findings(self, exchange: Exchange) -> Iterator[Finding]:
        # `kind_of` says the same of each case, for who judges the message as a file.
        request, response = exchange.request, exchange.response
        match exchange.transaction, exchange.direction:
            case name, Direction.OUT if (
                name in REPORT_MESSAGES and "source" in self.roles and response
            ):
                context = Context(request=request.body if request else b"")
                yield from validate(response.body, "ack", context=context).findings
            case "ITI-41", Direction.IN if "source" in self.roles and request:
                if package(request) is not None:
                    yield from validate(message(request), "iti-41", context=Context()).findings
                for document in submitted_documents(exchange):
                    yield from validate(document, "kos", context=_OVER_TLS).findings
            case "WADO-RS", Direction.OUT if "source" in self.roles and response:
                yield from self._images(exchange, response)
            case "capabilities", Direction.OUT if "source" in self.roles and response:
                yield from validate(message(response), "capacites", context=Context()).findings
            case "WADO-RS", Direction.IN if "consumer" in self.roles and request:
                purpose = _PURPOSES.get(self.case.get(PURPOSE, "export"), "")
                context = Context(purpose=purpose, kos=self._kos(request))
                yield from validate(message(request), "wado-request", context=context).findings
            case name, Direction.IN if request and name in _FORMS:
                role, kind = _FORMS[name]
                if role in self.roles:
                    yield from validate(message(request), kind, context=Context()).findings
            case _, Direction.IN if request and self.roles & _SOAP.get(
                exchange.transaction, frozenset()
            ):
                kind = exchange.transaction.lower()
                yield from validate(message(request), kind, context=self._patient()).findings

    def _images(self, exchange: Exchange, response: Payload) -> Iterator[Finding]:
        request = exchange.request
        context = Context(
            ins=self.case.get("matricule INS", ""),
            ins_oid=self.case.get("OID de l'INS", ""),
            ipp=self.case.get("IPP", ""),
            target=request.start_line.split(" ")[1] if request else "",
            kos=self._kos(request),
        )
        answer = images_of(response, context)
        if exchange.outcome is Outcome.ABORTED:
            # Its last part may be torn, and who lost the connection is for the steps to say.
            answer = replace(answer, parts=answer.parts[:-1], cut=True)
        yield from judge(answer, "wado-response", context=context).findings

    def _patient(self) -> Context:
        return Context(
            ins=self.case.get("matricule INS", ""), ins_oid=self.case.get("OID de l'INS", "")
        )

    def _kos(self, request: Payload | None) -> bytes:
        uid = request.header(KOS_HEADER) if request else None
        return self.manifests.get(uid or "", b"")


def kind_of(exchange: Exchange) -> str | None:
    """As what a file is the message of an exchange that a product may have emitted judged.

    None when no judge of files reads it. Of an exchange that we began it is the answer.
    """
    match exchange.transaction, exchange.direction:
        case name, Direction.OUT if name in REPORT_MESSAGES:
            return "ack"
        case "WADO-RS", Direction.OUT:
            return "wado-response"
        case "capabilities", Direction.OUT:
            return "capacites"
        case "WADO-RS", Direction.IN:
            return "wado-request"
        case "ITI-41", Direction.IN:
            return "iti-41"
        case name, Direction.IN if name in _FORMS:
            return _FORMS[name][1]
        case name, Direction.IN if name in _SOAP:
            return name.lower()
    return None


def images_of(response: Payload, context: Context) -> WadoResponse:
    """An answer of images as recorded, for the judge: the beginning of each part is kept."""
    return WadoResponse(
        status=_status(response),
        headers=response.head,
        parts=tuple(WadoPart(part.headers, part.size, part.head) for part in response.parts),
        context=context,
        body=b"" if response.parts else response.body,
    )


def message(payload: Payload) -> bytes:
    """An HTTP message as a file would hold it, its body out of any transfer coding."""
    lines = [
        payload.start_line,
        *(
            f"{name}: {value}"
            for name, value in payload.head
            if name.lower() != "transfer-encoding"
        ),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + payload.body


def _manifests(exchanges: Iterable[Exchange]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for exchange in exchanges:
        if exchange.transaction == "ITI-41":
            for document in submitted_documents(exchange):
                try:
                    found[kos.decode(document).sop_instance or ""] = document
                except RemoteProtocolError:
                    continue
    return found


def _status(response: Payload) -> int:
    words = response.start_line.split(" ")
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
