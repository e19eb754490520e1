"""ITI-43, the answer: the documents, and whether they are those that were asked for."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from protocols.ebrim import RegistryError
from protocols.errors import RemoteProtocolError
from protocols.xml import NS
from spec.xds import Action, ErrorCode, ResponseStatus
from validators.context import Context
from validators.dmp.addressing import answer_rules, package_rules
from validators.dmp.outcome import outcome_rules
from validators.dmp.reading import Message, answer, earlier
from validators.dmp.structure import structure_rules
from validators.examples import dmp as example
from validators.examples import kos as manifest
from validators.examples.xds import Tamper, edit, remove
from validators.finding import Severity
from validators.identifiers import is_oid
from validators.kos.reading import read as read_kos
from validators.rule import Broken, RuleSet
from validators.xds.rules import DATA, Findings, iti, same, w3c

__all__ = ["RETRIEVE_ANSWER", "read"]

_XDSB = f"{{{NS['xdsb']}}}"
_RS = f"{{{NS['rs']}}}"

_read = answer(f"{_XDSB}RetrieveDocumentSetResponse")


class _Retrieved(Message):
    """An answer whose outcome is one element lower than in the other transactions."""

    @property
    def registry(self) -> etree._Element | None:
        return self.body.find(f"{_RS}RegistryResponse")

    @property
    def status(self) -> str:
        return "" if self.registry is None else self.registry.get("status", "")

    @property
    def errors(self) -> list[etree._Element]:
        if self.registry is None:
            return []
        return self.registry.findall(f"{_RS}RegistryErrorList/{_RS}RegistryError")

    def documents(self) -> Iterator[tuple[etree._Element, str]]:
        """Each DocumentResponse, and an XPath to it."""
        found = self.body.findall(f"{_XDSB}DocumentResponse")
        for rank, one in enumerate(found, start=1):
            yield one, f"//DocumentResponse[{rank}]"

    def content(self, element: etree._Element) -> bytes | None:
        """The bytes of a document, None when they cannot be had."""
        found = element.find(f"{_XDSB}Document")
        return None if found is None else self.package.content(found)


def read(data: bytes, context: Context) -> _Retrieved:
    """Read an answer.

    Raises:
        RemoteProtocolError: unreadable, or another message.
    """
    found = _read(data, context)
    return _Retrieved(context, found.package, found.body, found.damaged)


RETRIEVE_ANSWER = RuleSet(
    "iti-43-response",
    good=example.retrieve_answer,
    syntax="ITI43-100",
    unreadable=lambda: b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n<a/>",
    reference=iti("Vol. 2, 3.43"),
    requirements=("DB.CO.54",),
)


def _spoiled(tamper: Tamper | None) -> bytes:
    return example.retrieve_answer(tamper)


answer_rules(RETRIEVE_ANSWER, "ITI43", (Action.RETRIEVE.answer,), _spoiled, plain=False)
structure_rules(RETRIEVE_ANSWER, _spoiled, faulty=remove("//xdsb:Document"))
outcome_rules(
    RETRIEVE_ANSWER, "ITI43", example.retrieve_answer, partial=True, root="/RegistryResponse/"
)
# The DMP answers so, even a fault: GIE SESAM-Vitale message examples.
package_rules(RETRIEVE_ANSWER, demanded=True)


def _text(element: etree._Element, name: str) -> str:
    return (element.findtext(f"{_XDSB}{name}") or "").strip()


@RETRIEVE_ANSWER.rule(
    "ITI43-121",
    "Chaque document rendu dit son entrepôt, son uniqueId et son type",
    reference=iti("Vol. 2, 3.43.4.2.2"),
    bad=lambda: example.retrieve_answer(edit("//xdsb:DocumentUniqueId", value="kos")),
)
def described(message: _Retrieved) -> Findings:
    for one, where in message.documents():
        for name, fine in (
            ("RepositoryUniqueId", is_oid),
            ("DocumentUniqueId", is_oid),
            ("mimeType", _is_media),
        ):
            value = _text(one, name)
            if not fine(value):
                yield Broken(
                    message=f"{name} manque ou est illisible.",
                    actual=value,
                    where=f"{where}/{name}",
                )


def _is_media(text: str) -> bool:
    kind, slash, subtype = text.partition("/")
    return bool(kind and slash and subtype)


@RETRIEVE_ANSWER.rule(
    "ITI43-122",
    "Chaque Document mène à ses octets",
    reference=w3c("XOP", "3.2"),
    bad=lambda: example.retrieve_answer(edit("//xop:Include", "href", "cid:rien")),
)
def content(message: _Retrieved) -> Findings:
    if message.damaged:
        return
    for one, where in message.documents():
        data = message.content(one)
        if not data:
            yield Broken(
                message="Les octets du document manquent.",
                expected="une partie du paquet, ou du base64",
                actual="rien" if data is None else "0 octet",
                where=f"{where}/Document",
            )


@RETRIEVE_ANSWER.rule(
    "ITI43-123",
    "Un succès rend des documents, un échec n'en rend pas",
    reference=iti("Vol. 2, 3.43.4.2.3"),
    bad=lambda: example.retrieve_answer(remove("//xdsb:DocumentResponse")),
)
def documents(message: _Retrieved) -> Findings:
    count = len(list(message.documents()))
    failed = message.status == ResponseStatus.FAILURE
    if failed == bool(count) and message.status in list(ResponseStatus):
        yield Broken(
            message="Le nombre de documents contredit le statut.",
            expected="0" if failed else "au moins 1",
            actual=str(count),
            where="//DocumentResponse",
        )


def _asked(context: Context) -> set[str] | None:
    """The uniqueIds of the request, None when it is unknown."""
    request = earlier(context)
    if request is None:
        return None
    return {_text(one, "DocumentUniqueId") for one in request[0].iter(f"{_XDSB}DocumentRequest")}


@RETRIEVE_ANSWER.rule(
    "ITI43-124",
    "Les documents rendus sont ceux demandés",
    reference=iti("Vol. 2, 3.43.4.2.3"),
    given=Context(request=example.asked_document()),
    bad=lambda: example.retrieve_answer(edit("//xdsb:DocumentUniqueId", value="1.2.3")),
)
def asked_for(message: _Retrieved) -> Findings:
    wanted = _asked(message.context)
    if not wanted:
        return
    found = {_text(one, "DocumentUniqueId") for one, _ in message.documents()}
    for value in sorted(found - wanted):
        yield Broken(
            message="Ce document n'a pas été demandé.", actual=value, where="//DocumentResponse"
        )
    if message.status == ResponseStatus.SUCCESS:
        for value in sorted(wanted - found):
            yield Broken(
                message="Ce document demandé manque.", expected=value, where="//DocumentResponse"
            )


@RETRIEVE_ANSWER.rule(
    "ITI43-125",
    "Un document application/dicom est un KOS dont le SOPInstanceUID est l'uniqueId",
    reference=DATA,
    requirements=("DB.SO.18",),
    bad=lambda: example.retrieve_answer(document=manifest.kos(sop_instance=f"{manifest.UID}.2")),
)
def manifests(message: _Retrieved) -> Findings:
    for one, where in message.documents():
        data = message.content(one)
        if _text(one, "mimeType") != "application/dicom" or not data:
            continue
        try:
            written = read_kos(data, message.context).sop_instance
        except RemoteProtocolError as error:
            yield Broken(message=f"Le document n'est pas un KOS : {error}.", where=where)
            continue
        yield from same(_text(one, "DocumentUniqueId"), written, where, "DocumentUniqueId")


def _refused(code: str) -> bytes:
    error = RegistryError(code=code, context="Document inconnu")
    return example.retrieve_answer(status=ResponseStatus.FAILURE, errors=[error])


@RETRIEVE_ANSWER.rule(
    "ITI43-126",
    "Un document inconnu se dit XDSDocumentUniqueIdError, un entrepôt XDSUnknownRepositoryId",
    reference=iti("Vol. 2, 3.43.4.2.3"),
    severity=Severity.WARNING,
    good=lambda: _refused(ErrorCode.DOCUMENT_UNIQUE_ID),
    bad=lambda: _refused(ErrorCode.UNKNOWN_STORED_QUERY),
)
def codes(message: _Retrieved) -> Findings:
    known = (
        ErrorCode.DOCUMENT_UNIQUE_ID,
        ErrorCode.UNKNOWN_REPOSITORY,
        ErrorCode.REPOSITORY_ERROR,
        ErrorCode.REPOSITORY_BUSY,
        ErrorCode.REGISTRY_ERROR,
        ErrorCode.LOCAL_POLICY,
    )
    for one in message.errors:
        code = one.get("errorCode", "")
        if code in list(ErrorCode) and code not in known:
            yield Broken(
                message="Ce code n'est pas d'une lecture de document.",
                expected=" | ".join(known),
                actual=code,
                where="/RegistryResponse/RegistryErrorList",
            )
