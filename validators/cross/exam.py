"""The artefacts of one exam, each read by its own reader, and all that they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from protocols import cda, hl7v2, xml
from protocols.errors import RemoteProtocolError
from protocols.pki import ChainError, read_certificate
from spec.dicom import KEY_OBJECT_SELECTION_STORAGE
from spec.xds import EntryScheme
from validators import package
from validators.cfind import read as read_answers
from validators.context import Context
from validators.cross import from_cda, from_cfind, from_dicom, from_hl7v2, from_wado, from_xds
from validators.cross.comparison import Statements
from validators.cross.fact import Fact, Facts, Speaker, Subject, Voice
from validators.dicom_tree import read_file
from validators.guess import is_answer
from validators.hl7v2.reading import read as read_hl7v2
from validators.kos.reading import Kos
from validators.wado import WadoRequest, WadoResponse, read_request, read_response
from validators.xds.reading import Submission
from validators.xds.reading import read as read_xds
from validators.zip_archive import MAX_MEMBERS

__all__ = ["Exam", "ExamError", "read_artefacts"]

_ASSERTION = f"{{{xml.NS['saml']}}}Assertion"
_SIGNATURE = f"{{{xml.NS['ds']}}}Signature"
_REPORT = f"{{{xml.NS['cda']}}}ClinicalDocument"
_REQUEST_LINE = re.compile(rb"GET \S+ HTTP/\d")
_ACKNOWLEDGEMENT = "ACK"


class ExamError(RemoteProtocolError):
    """These artefacts cannot be compared at all."""


@dataclass(frozen=True, slots=True)
class Exam:
    """What the artefacts of an exam say together.

    `unread` holds name and reason of those that cannot be read, `unknown` the names of those that
    are nothing that can be compared.
    """

    context: Context
    said: Statements
    messages: tuple[tuple[str, hl7v2.Message], ...] = ()
    submissions: tuple[tuple[str, Submission], ...] = ()
    manifests: tuple[Kos, ...] = ()
    requests: tuple[WadoRequest, ...] = ()
    responses: tuple[WadoResponse, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()


def read_artefacts(artefacts: Mapping[str, bytes], context: Context | None = None) -> Exam:
    """Read each artefact by what it looks like; one that cannot be read does not hide the others.

    Raises:
        ExamError: too many artefacts.
    """
    if len(artefacts) > MAX_MEMBERS:
        raise ExamError(f"plus de {MAX_MEMBERS} fichiers pour un examen")
    reader = _Reader(context or Context())
    for name, data in artefacts.items():
        reader.add(name, data)
    return reader.exam()


@dataclass(slots=True)
class _Reader:
    context: Context
    facts: list[Fact] = field(default_factory=list)
    registered: list[tuple[str, list[Fact]]] = field(default_factory=list)
    """uniqueId and facts of what a registry answered: of other exams too."""
    messages: list[tuple[str, hl7v2.Message]] = field(default_factory=list)
    submissions: list[tuple[str, Submission]] = field(default_factory=list)
    manifests: list[Kos] = field(default_factory=list)
    requests: list[WadoRequest] = field(default_factory=list)
    responses: list[WadoResponse] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def add(self, name: str, data: bytes) -> None:
        """Hear one artefact."""
        reader = self._reader_of(data)
        if reader is None:
            self.unknown.append(name)
        else:
            self._hear(reader, data, name)

    def exam(self) -> Exam:
        """Everything heard; of a registry's answers, what it says of the documents given."""
        known = {
            fact.value
            for fact in self.facts
            if (fact.voice, fact.subject)
            in ((Voice.MANIFEST, Subject.MANIFEST_UID), (Voice.REPORT, Subject.REPORT_ID))
        }
        for uid, facts in self.registered:
            if uid in known:
                self.facts.extend(facts)
        return Exam(
            self.context,
            Statements(self.facts),
            tuple(self.messages),
            tuple(self.submissions),
            tuple(self.manifests),
            tuple(self.requests),
            tuple(self.responses),
            tuple(self.unread),
            tuple(self.unknown),
        )

    def _reader_of(self, data: bytes) -> Callable[[bytes, str], Facts] | None:
        if is_answer(data):
            return self._answer
        if data[128:132] == b"DICM":
            return self._dicom
        start = data.lstrip(b"\x0b\xef\xbb\xbf \t\r\n")
        if start.startswith(b"MSH"):
            return self._message
        if b"AdhocQueryResponse" in data and start.startswith((b"<", b"--", b"HTTP/")):
            return self._registry
        if start.startswith(b"HTTP/"):
            return self._response
        if _REQUEST_LINE.match(start):
            return self._request
        if start.startswith(b"-----BEGIN CERTIFICATE"):
            return self._certificate
        if b"SubmitObjectsRequest" in data and start.startswith((b"<", b"--", b"POST ")):
            return self._submission
        return self._xml if start.startswith(b"<") else None

    def _hear(self, reader: Callable[[bytes, str], Facts], data: bytes, name: str) -> None:
        try:
            self.facts.extend(reader(data, name))
        except RemoteProtocolError as error:
            self.unread.append((name, str(error)))

    def _xml(self, data: bytes, name: str) -> Facts:
        root = xml.parse(data.strip())
        if root.tag == _REPORT:
            yield from self._report(data.strip(), name)
        elif root.tag == _SIGNATURE:
            yield from from_xds.seal(root, name)
        elif next(root.iter(_ASSERTION), None) is not None:
            for element in root.iter(_ASSERTION):
                yield from from_xds.assertion(element, name)
        else:
            self.unknown.append(name)

    def _answer(self, data: bytes, name: str) -> Facts:
        yield from from_cfind.answers(read_answers(data, self.context), name)

    def _registry(self, data: bytes, name: str) -> Facts:
        self.registered.extend(from_xds.registered(package.read(data).root, name))
        yield from ()

    def _message(self, data: bytes, name: str) -> Facts:
        artefact = read_hl7v2(data, self.context)
        message = artefact.message
        if message.value("MSH-9.1") == _ACKNOWLEDGEMENT:
            return
        self.messages.append((name, message))
        yield from from_hl7v2.facts(message, name)
        if artefact.payload is not None and artefact.cda is not None:
            yield from self._report(artefact.payload, f"{name} › compte rendu")

    def _report(self, data: bytes, name: str) -> Facts:
        yield from from_cda.facts(cda.parse(data), name)

    def _dicom(self, data: bytes, name: str) -> Facts:
        file = read_file(data)
        if file.data.text(0x00080016) != KEY_OBJECT_SELECTION_STORAGE:
            yield from from_dicom.image(file, name)
            return
        found = Kos(file, self.context)
        self.manifests.append(found)
        yield from from_dicom.manifest(found, data, name)

    def _submission(self, data: bytes, name: str) -> Facts:
        submission = read_xds(data, self.context)
        self.submissions.append((name, submission))
        yield from from_xds.metadata(submission, name)
        manifests = {item.id for item in submission.manifests}
        for item in submission.entries:
            document = submission.documents.get(item.id)
            if document is None:
                continue
            # What an editor laid out anew is not the octets that were measured and signed.
            if item.id in manifests or not submission.indented:
                uid = item.external(EntryScheme.UNIQUE_ID)
                yield from self._document(document, f"{name} › {item.id}", uid)

    def _document(self, data: bytes, name: str, uid: str) -> Facts:
        """A document of a lot. Its entry is judged with the lot: what is unreadable there."""
        reader = self._reader_of(data)
        if reader is None:
            return
        if reader == self._xml:
            # A manifest measures itself; what is XML is a report or the signature.
            voice = Voice.SEAL if b"IHEManifest" in data else Voice.REPORT
            yield from from_dicom.document(Speaker(voice, name), data, uid)
        self._hear(reader, data, name)

    def _certificate(self, data: bytes, name: str) -> Facts:
        try:
            yield from from_xds.certificate(read_certificate(data), name)
        except ChainError as error:
            raise ExamError(str(error)) from None

    def _request(self, data: bytes, name: str) -> Facts:
        found = read_request(data, self.context)
        self.requests.append(found)
        yield from from_wado.request(found, name)

    def _response(self, data: bytes, name: str) -> Facts:
        found = read_response(data, self.context)
        self.responses.append(found)
        yield from from_wado.response(found, name)
