"""The PACS's DICOMweb service: QIDO-RS, WADO-RS and STOW-RS on the same archive.

Instances leave one at a time, bytes unchanged, or uncompressed where the request takes only that.
Réf.: DICOM PS3.18 10.4 (retrieve), 10.5 (store), 10.6 (search), annex F (JSON), grade `standard`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from protocols.dicom import build_part10, explicit_from_implicit
from protocols.dicomweb import (
    ANY_TRANSFER_SYNTAX,
    Preference,
    parse_accept,
    part_headers,
    ranked,
    response_content_type,
)
from protocols.errors import RemoteProtocolError
from protocols.multipart import Parser, PartBegin, PartData, PartEnd, Writer, boundary_of
from simulators.pacs import query
from simulators.pacs.archive import Archive, Instance
from simulators.pacs.decompression import DECOMPRESSED, decompressed
from simulators.pacs.faults import excess_of, misreport, missing_of
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED_LITTLE_ENDIAN
from wire.faults import Faults, Struck
from wire.http_server import impaired, note

__all__ = ["build_web"]

_BOUNDARY = "drimbench-pacs"
_CHUNK = 256 * 1024
_JSON = "application/dicom+json"
_STRUCK = "pacs.struck"
"""Where a scope carries the fault that strikes it."""
_LEVELS = (("studies", "STUDY"), ("series", "SERIES"), ("instances", "IMAGE"))
_KEYS = {
    "STUDY": ("StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "PatientName",
              "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDescription",
              "ModalitiesInStudy", "ReferringPhysicianName", "NumberOfStudyRelatedSeries",
              "NumberOfStudyRelatedInstances"),
    "SERIES": ("StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber",
               "SeriesDescription", "NumberOfSeriesRelatedInstances"),
    "IMAGE": ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID",
              "InstanceNumber", "Rows", "Columns", "BitsAllocated", "NumberOfFrames"),
}  # fmt: skip
"""What comes back unasked (PS3.18 tables 10.6.3-3 to -5)."""
_RESERVED = ("includefield", "limit", "offset", "fuzzymatching")
_CANNOT_UNDERSTAND, _MISMATCH = 0xC000, 0xA900


def build_web(
    archive: Archive, *, ae_title: str, faults: Faults, root: str = "/dicom-web"
) -> ASGIApp:
    """The ASGI application, under `root`, which `faults` strike."""
    service = _Service(archive, ae_title)
    study = f"{root}/studies/{{study}}"
    series = f"{study}/series/{{series}}"
    instance = f"{series}/instances/{{instance}}"
    retrieved = [
        Route(f"{path}{end}", answer, methods=["GET"])
        for path in (study, series, instance)
        for end, answer in (("", service.retrieve), ("/metadata", service.metadata))
    ]
    searched = [
        Route(path, service.search, methods=["GET"])
        for path in (
            f"{root}/studies", f"{root}/series", f"{root}/instances", f"{study}/series",
            f"{study}/instances", f"{series}/instances",
        )
    ]  # fmt: skip
    stored = [Route(path, service.store, methods=["POST"]) for path in (f"{root}/studies", study)]
    return _Struck(Starlette(routes=[*searched, *stored, *retrieved]), faults)


class _Struck:
    """An application whose requests faults may strike, by the service that they name."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        struck = self._faults.strike(_service(scope))
        if struck is None:
            await self._app(scope, receive, send)
            return
        scope[_STRUCK] = struck
        if struck.delay_s:
            await struck.release.pause(struck.delay_s)
        app, link = self._app, struck.link()
        if struck.kind == "http":
            app = PlainTextResponse("panne simulée", status_code=struck.number("code"))
        await (app if link is None else impaired(app, link))(scope, receive, send)


def _service(scope: Scope) -> str:
    if scope["method"] == "POST":
        return "STOW-RS"
    last = scope["path"].rpartition("/")[2]
    return "QIDO-RS" if last in dict(_LEVELS) else "WADO-RS"


def _struck(request: Request) -> Struck | None:
    struck: Struck | None = request.scope.get(_STRUCK)
    return struck


class _Service:
    def __init__(self, archive: Archive, ae_title: str) -> None:
        self._archive = archive
        self._ae_title = ae_title

    # -- QIDO-RS -----------------------------------------------------------------------------

    async def search(self, request: Request) -> Response:
        """204 when nothing matches, 400 for a parameter that names no attribute."""
        note(request.scope, transaction="QIDO-RS", keys=request.path_params.values())
        level = dict(_LEVELS)[request.url.path.rsplit("/", 1)[1]]
        try:
            identifier = _identifier(level, request.path_params, request.query_params.multi_items())
            found = list(
                query.find(
                    self._archive,
                    identifier,
                    model="STUDY",
                    relational=True,
                    ae_title=self._ae_title,
                )
            )
            struck = _struck(request)
            found = [] if struck and struck.kind == "vide" else found
            found = found[: max(0, len(found) - missing_of(struck))]
            for one in found:
                misreport(one, excess_of(struck))
            start = int(request.query_params.get("offset", 0))
            limit = int(request.query_params.get("limit", len(found)))
        except (ValueError, KeyError) as error:
            return PlainTextResponse(f"paramètre illisible : {error}", status_code=400)
        listed = [one.to_json_dict() for one in found[start : start + limit]]
        if not listed:
            return Response(status_code=204)
        return JSONResponse(listed, media_type=_JSON)

    # -- WADO-RS -----------------------------------------------------------------------------

    async def retrieve(self, request: Request) -> Response:
        """404 for what it does not hold, 406 for what it cannot give in any syntax taken."""
        note(request.scope, transaction="PACS-WADO-RS", keys=request.path_params.values())
        found = self._archive.instances(**request.path_params)
        if not found:
            return PlainTextResponse("inconnu", status_code=404)
        try:
            taken = _taken(parse_accept(request.headers.getlist("accept")))
        except RemoteProtocolError as error:
            return PlainTextResponse(str(error), status_code=400)
        chosen = [(one, _choice(one, taken)) for one in found]
        if not all(syntax for _, syntax in chosen):
            return PlainTextResponse("aucune syntaxe admise", status_code=406)
        chosen = chosen[: max(0, len(chosen) - missing_of(_struck(request)))]
        return StreamingResponse(_parts(chosen), media_type=response_content_type(_BOUNDARY))

    async def metadata(self, request: Request) -> Response:
        """What is stored, without its pixels."""
        note(request.scope, transaction="PACS-WADO-RS", keys=request.path_params.values())
        found = self._archive.instances(**request.path_params)
        if not found:
            return PlainTextResponse("inconnu", status_code=404)
        listed = [one.attributes.to_json_dict() for one in found]
        return Response(json.dumps(listed), media_type=_JSON)

    # -- STOW-RS -----------------------------------------------------------------------------

    async def store(self, request: Request) -> Response:
        """200 when all is stored, 202 when some is, 409 when nothing is (PS3.18 10.5.3)."""
        note(request.scope, transaction="STOW-RS", keys=request.path_params.values())
        study = request.path_params.get("study", "")
        done: list[tuple[str, str, int]] = []
        failed: list[tuple[str, str, int]] = []
        try:
            async for file in _files(request):
                sop_class, uid, reason = self._keep(file, study)
                (failed if reason else done).append((sop_class, uid, reason))
        except RemoteProtocolError as error:
            return PlainTextResponse(f"corps illisible : {error}", status_code=400)
        answer = Dataset()
        answer.ReferencedSOPSequence = [_reference(*one) for one in done]
        answer.FailedSOPSequence = [_reference(*one) for one in failed]
        status = 409 if not done else 202 if failed else 200
        return JSONResponse(answer.to_json_dict(), status_code=status, media_type=_JSON)

    def _keep(self, file: bytes, study: str) -> tuple[str, str, int]:
        """SOP class and instance, and why it is not stored (0: it is)."""
        try:
            aside = Archive().add_file(file)
        except RemoteProtocolError:
            return "", "", _CANNOT_UNDERSTAND
        if study and aside.study_uid != study:
            return aside.sop_class, aside.sop_instance, _MISMATCH
        self._archive.add_file(file)
        return aside.sop_class, aside.sop_instance, 0


def _identifier(
    level: str, path: Mapping[str, str], parameters: Sequence[tuple[str, str]]
) -> Dataset:
    """The C-FIND identifier that says the same.

    Raises:
        ValueError, KeyError: a name that is no attribute.
    """
    identifier = Dataset()
    names = [
        *_KEYS[level],
        *(one for key, value in parameters if key == "includefield" for one in value.split(",")),
    ]
    for name in dict.fromkeys(one for one in names if one != "all"):
        tag = _tag(name)
        identifier.add(
            DataElement(tag, dictionary_VR(tag), [] if dictionary_VR(tag) == "SQ" else None)
        )
    for key, value in parameters:
        if key not in _RESERVED:
            tag = _tag(key)
            values = value.replace(",", "\\") if dictionary_VR(tag) == "UI" else value
            identifier.add(DataElement(tag, dictionary_VR(tag), values))
    for key, name in (("study", "StudyInstanceUID"), ("series", "SeriesInstanceUID")):
        if key in path:
            setattr(identifier, name, path[key])
    identifier.QueryRetrieveLevel = level
    return identifier


def _tag(name: str) -> int:
    """Of a keyword, or of eight hexadecimal digits."""
    tag = tag_for_keyword(name)
    return int(name, 16) if tag is None else int(tag)


def _taken(preferences: Sequence[Preference]) -> list[str]:
    """The transfer syntaxes that a request takes, best first."""
    found = [one.transfer_syntax or EXPLICIT_VR_LITTLE_ENDIAN for one in ranked(preferences)]
    return found or [EXPLICIT_VR_LITTLE_ENDIAN]


def _choice(instance: Instance, taken: Sequence[str]) -> str:
    """In which syntax an instance goes out, "" in none."""
    stored = instance.transfer_syntax
    held: tuple[str, ...] = (stored,)
    if stored in UNCOMPRESSED_LITTLE_ENDIAN:
        held = (EXPLICIT_VR_LITTLE_ENDIAN,)
    elif stored in DECOMPRESSED:
        held = (stored, EXPLICIT_VR_LITTLE_ENDIAN)
    for one in taken:
        if one in held:
            return one
        if one == ANY_TRANSFER_SYNTAX:
            return held[0]
    return ""


def _parts(chosen: Sequence[tuple[Instance, str]]) -> Iterator[bytes]:
    writer = Writer(_BOUNDARY)
    for instance, syntax in chosen:
        file = build_part10(
            sop_class=instance.sop_class,
            sop_instance=instance.sop_instance,
            transfer_syntax=syntax,
            dataset=_data(instance, syntax),
        )
        yield writer.begin_part(part_headers(syntax, length=len(file)))
        view = memoryview(writer.data(file))
        for start in range(0, len(view), _CHUNK):
            yield bytes(view[start : start + _CHUNK])
    yield writer.end()


def _data(instance: Instance, syntax: str) -> bytes:
    if syntax == instance.transfer_syntax:
        return instance.dataset()
    if instance.transfer_syntax in DECOMPRESSED:
        return decompressed(instance)
    return explicit_from_implicit(instance.dataset())


async def _files(request: Request) -> AsyncIterator[bytes]:
    """The parts of a request's body, each whole."""
    parser = Parser(boundary_of(request.headers.get("content-type", "")))
    part = bytearray()
    async for chunk in request.stream():
        for event in parser.feed(chunk):
            if isinstance(event, PartBegin):
                part = bytearray()
            elif isinstance(event, PartData):
                part += event.data
            elif isinstance(event, PartEnd):
                yield bytes(part)
    parser.finish()


def _reference(sop_class: str, sop_instance: str, reason: int) -> Any:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_instance
    if reason:
        item.FailureReason = reason
    return item
