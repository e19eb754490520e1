"""An example contextual call that is right, and edits that spoil it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from spec.contextual_call import CONSENT, OPPOSITION
from spec.oids import INS_NIR_TEST
from validators.http_message import HttpMessage

__all__ = ["INS", "IPP", "call", "older"]

INS = "279035121518989"
"""An ANS test identity (DMP conformity environment)."""
IPP = "IPP900"

_IDENTITY = {
    "Patient.identifier.value": INS,
    "Patient.identifier.system": INS_NIR_TEST,
    "Patient.name.family": "PAT-TROIS",
    "Patient.name.given": "DOMINIQUE",
    "Patient.gender": "F",
    "Patient.birthDate": "19790328",
    "Address.district": "51215",
}
_LOCAL = {"PatientID": IPP, "PatientIDIssuer": "RIS_EXEMPLE&1.2.250.1.999.1.1.8121.1&ISO"}
_SEARCH = {"Modality": "CT", "StudyDate": "20200101-20261122", "AnatomicRegion": "774007"}


def call(
    edits: Mapping[str, str | None] | None = None,
    *,
    extra: tuple[tuple[str, str], ...] = (),
    method: str = "POST",
    target: str = "/drim",
    content_type: str = "application/x-www-form-urlencoded",
    body: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """A call with the parameters of 2024-12; None leaves one out, `extra` adds some at the end."""
    values = {**_IDENTITY, CONSENT: "oui", **_LOCAL}
    return _request(values, edits, extra, method, target, content_type, body)


def older(
    edits: Mapping[str, str | None] | None = None, *, extra: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """A call with the parameters of 2024-07, search criteria included."""
    values = {**_IDENTITY, OPPOSITION: "non", **_LOCAL, **_SEARCH}
    kind = "application/x-www-form-urlencoded"
    return _request(values, edits, extra, "POST", "/drim", kind, None)


def _request(
    values: Mapping[str, str],
    edits: Mapping[str, str | None] | None,
    extra: tuple[tuple[str, str], ...],
    method: str,
    target: str,
    content_type: str,
    edit: Callable[[bytes], bytes] | None,
) -> bytes:
    changed = {**values, **(edits or {})}
    pairs = [(name, value) for name, value in changed.items() if value is not None]
    data = urlencode([*pairs, *extra]).encode("ascii")
    headers = (("Host", "drimbox.exemple.test"), ("Content-Type", content_type))
    return HttpMessage(
        f"{method} {target} HTTP/1.1", headers, data if edit is None else edit(data)
    ).encode()
