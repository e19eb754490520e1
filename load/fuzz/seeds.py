"""Valid conversations of each entry point: the same for a seed, whatever bed they are sent to.

Words between `@` stand for what only a running bed knows.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from bench.bed import Bed
from bench.profile import Profile
from bench.site import site_of
from load.soak.dossiers import Cabinet
from load.soak.plan import make
from protocols.dicomweb import format_accept
from protocols.mllp import frame
from simulators.ris.contextual_call import CONTENT_TYPE, body, parameters
from simulators.ris.people import Patient
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from spec.dmp import ServicePath
from spec.wado import KOS_HEADER, LOSSLESS_PROFILE

__all__ = ["Seeded", "dimse", "drim_call", "login_of", "mllp", "oidc", "seeded", "soap", "wado"]

Seeds = tuple[tuple[bytes, ...], ...]

_VERIFICATION = "1.2.840.10008.1.1"
_KEY_OBJECT = "1.2.840.10008.5.1.4.1.1.88.59"
_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
_IMPLEMENTATION = "1.2.826.0.1.3680043.8.498.7"


@dataclass(frozen=True, slots=True)
class Seeded:
    """A patient, an exam and its report."""

    seed: int
    message: bytes
    patient: Patient
    study: str
    series: str
    instance: str

    def admit(self, bed: Bed) -> None:
        """The DMP knows the patient, the PACS holds the images."""
        plan = make(self.seed, reports=1, senders=1, kills=0, menu=())
        Cabinet(bed, plan).prepare(next(iter(plan.reports)))


def seeded(seed: int, profile: Profile) -> Seeded:
    """The world of a seed; needs no bed."""
    loaded: list[Any] = []
    bare = SimpleNamespace(
        site=site_of(profile),
        pacs=SimpleNamespace(load=loaded.append),
        register=SimpleNamespace(admit=lambda *_: None),
    )
    plan = make(seed, reports=1, senders=1, kills=0, menu=())
    cabinet = Cabinet(cast(Bed, bare), plan)
    planned = next(iter(plan.reports))
    message = cabinet.prepare(planned)
    known = cabinet.known[planned.dossier.number]
    exam = known.exams[0]
    series = exam.series[0].uid
    return Seeded(seed, message, known.patient, exam.study_uid, series, f"{series}.1")


def mllp(seeded: Seeded) -> Seeds:
    """The report; the same without its document, which leaves the segments to be struck."""
    short = re.sub(rb"[A-Za-z0-9+/]{400,}={0,2}", b"JVBERi0xLjQK", seeded.message)
    return (frame(seeded.message),), (frame(short),), (frame(short), frame(short)), (frame(short),)


def wado(seeded: Seeded) -> Seeds:
    """A series, one image, metadata, an address that invokes the viewer."""
    accept = ", ".join(format_accept(LOSSLESS_PROFILE)).encode()
    series = f"/drimbox/rs/studies/{seeded.study}/series/{seeded.series}"
    viewer = f"/IHEInvokeImageDisplay?requestType=STUDY&studyUID={seeded.study}&viewerType=IHE_BIR"
    return tuple(
        (_get(path, {"Authorization": b"Bearer @TOKEN@", KOS_HEADER: b"@KOS@", "Accept": accept}),)
        for path in (
            series,
            f"{series}/metadata",
            f"{series}/instances/{seeded.instance}",
            f"{series}/instances/{seeded.instance}/frames/1,2",
            viewer,
        )
    )


def drim_call(seeded: Seeded) -> Seeds:
    """The contextual call in the two published sets of parameters."""
    kind = {"Content-Type": CONTENT_TYPE.encode()}
    older = parameters(
        seeded.patient, dialect="2024-07", search=[("Modality", "CT"), ("StudyDate", "20260101")]
    )
    return (
        (_post("/drim", body(parameters(seeded.patient)), kind),),
        (_post("/drim", body(older), kind),),
    )


def oidc(logout: str) -> Seeds:
    """The callback with a code that was never given, or an error; a back-channel logout."""
    cookie = {"Cookie": b"@COOKIE@"}
    token = b"logout_token=eyJhbGciOiJSUzI1NiIsInR5cCI6ImxvZ291dCtqd3QifQ.eyJpc3MiOiJodHRwcyJ9.c2ln"
    return (
        (_get("/callback?code=0123456789abcdef&state=@STATE@", cookie),),
        (_get("/callback?error=access_denied&error_description=non&state=@STATE@", cookie),),
        (_post(logout, token, {"Content-Type": CONTENT_TYPE.encode()}),),
    )


def login_of(redirect: bytes) -> Mapping[bytes, bytes]:
    """State and cookie of a login that the answer to a contextual call begins."""
    head = redirect.partition(b"\r\n\r\n")[0].decode("latin-1")
    location = re.search(r"(?i)\r\nlocation: *([^\r\n]+)", head)
    cookies = re.findall(r"(?i)\r\nset-cookie: *([^;\r\n]+)", head)
    query = parse_qs(urlsplit(location[1]).query) if location else {}
    state = query.get("state", [""])[0]
    return {b"@STATE@": state.encode("latin-1"), b"@COOKIE@": "; ".join(cookies).encode("latin-1")}


def soap() -> Seeds:
    """ITI-18 and a submission, without a proof of who asks: the reader of XML comes before."""
    return tuple((_soap(path, action, inner),) for path, action, inner in _ENVELOPES)


_QUERY = (
    b'<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" '
    b'xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
    b'<q:ResponseOption returnType="LeafClass" returnComposedObjects="true"/>'
    b'<r:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d">'
    b'<r:Slot name="$XDSDocumentEntryPatientId"><r:ValueList>'
    b"<r:Value>'2751078999999^^^&amp;1.2.250.1.213.1.4.8&amp;ISO^NH'</r:Value>"
    b"</r:ValueList></r:Slot></r:AdhocQuery></q:AdhocQueryRequest>"
)
_ENVELOPES = (
    (ServicePath.REGISTRY, "urn:ihe:iti:2007:RegistryStoredQuery", _QUERY),
    (
        ServicePath.REPOSITORY,
        "urn:ihe:iti:2007:RetrieveDocumentSet",
        b'<x:RetrieveDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007"><x:DocumentRequest>'
        b"<x:RepositoryUniqueId>1.2.3</x:RepositoryUniqueId>"
        b"<x:DocumentUniqueId>1.2.3.4</x:DocumentUniqueId>"
        b"</x:DocumentRequest></x:RetrieveDocumentSetRequest>",
    ),
)


def _soap(path: str, action: str, inner: bytes) -> bytes:
    envelope = (
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        b'xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>'
        b"<a:Action>" + action.encode() + b"</a:Action>"
        b"<a:MessageID>urn:uuid:00000000-0000-4000-8000-000000000001</a:MessageID>"
        b"</s:Header><s:Body>" + inner + b"</s:Body></s:Envelope>"
    )
    kind = f'application/soap+xml; charset=utf-8; action="{action}"'.encode()
    return _post(path, envelope, {"Content-Type": kind})


def _get(path: str, headers: Mapping[str, bytes]) -> bytes:
    return _request("GET", path, headers) + b"\r\n"


def _post(path: str, content: bytes, headers: Mapping[str, bytes]) -> bytes:
    return _request("POST", path, {**headers, "Content-Length": b"@LENGTH@"}) + b"\r\n" + content


def _request(verb: str, path: str, headers: Mapping[str, bytes]) -> bytes:
    told = {"Host": b"@HOST@", **headers, "Connection": b"close"}
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in told.items())
    return f"{verb} {path} HTTP/1.1\r\n".encode() + lines


# DICOM upper layer, PS3.8 9.3 --------------------------------------------------------------------


def dimse(called: str) -> Seeds:
    """Association, then C-ECHO or the store of a small object, then release; and an abort."""
    associate, release = _associate(called), _pdu(5, bytes(4))
    echo = _command(_VERIFICATION, 0x0030, 0x0101)
    store = _command(_KEY_OBJECT, 0x0001, 0x0000, instance="1.2.3.4")
    content = (
        _element(0x0008, 0x0016, _KEY_OBJECT.encode()) + _element(0x0008, 0x0018, b"1.2.3.4")
    )  # fmt: skip
    return (
        (associate, _data(1, 3, echo), release),
        (associate, _data(3, 3, store) + _data(3, 2, content), release),
        (associate, _pdu(7, bytes(4))),
    )


def _associate(called: str) -> bytes:
    contexts = b"".join(
        _item(
            0x20,
            bytes((number, 0, 0, 0))
            + _item(0x30, abstract.encode())
            + b"".join(
                _item(0x40, syntax.encode())
                for syntax in (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN)
            ),
        )
        for number, abstract in ((1, _VERIFICATION), (3, _KEY_OBJECT))
    )
    user = _item(
        0x50, _item(0x51, struct.pack(">I", 16384)) + _item(0x52, _IMPLEMENTATION.encode())
    )
    names = called.ljust(16).encode() + b"DRIMBENCH-FUZZ  "
    fixed = struct.pack(">HH", 1, 0) + names + bytes(32)
    return _pdu(1, fixed + _item(0x10, _APPLICATION_CONTEXT.encode()) + contexts + user)


def _pdu(kind: int, data: bytes) -> bytes:
    return struct.pack(">BBI", kind, 0, len(data)) + data


def _item(kind: int, data: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(data)) + data


def _data(context: int, control: int, fragment: bytes) -> bytes:
    return _pdu(4, struct.pack(">IBB", len(fragment) + 2, context, control) + fragment)


def _element(group: int, element: int, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", group, element, len(value)) + value


def _command(sop_class: str, command: int, dataset: int, *, instance: str = "") -> bytes:
    """A DIMSE command set in Implicit VR, PS3.7 9.3 and 6.3.1."""
    fields = (
        _element(0, 0x0002, sop_class.encode())
        + _element(0, 0x0100, struct.pack("<H", command))
        + _element(0, 0x0110, struct.pack("<H", 1))
        + (_element(0, 0x0700, struct.pack("<H", 0)) if instance else b"")
        + _element(0, 0x0800, struct.pack("<H", dataset))
        + (_element(0, 0x1000, instance.encode()) if instance else b"")
    )
    return _element(0, 0x0000, struct.pack("<I", len(fields))) + fields
