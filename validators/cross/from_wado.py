"""What a request for images and its answer say of an exam."""

from __future__ import annotations

from spec.wado import KOS_HEADER
from validators.cross.fact import Facts, Speaker, Subject, Voice
from validators.cross.from_dicom import image
from validators.wado import WadoRequest, WadoResponse

__all__ = ["request", "response"]


def request(wado: WadoRequest, name: str) -> Facts:
    """The study and series that a path names, and the manifest that the header names."""
    said = Speaker(Voice.REQUEST, name)
    for value in wado.all(KOS_HEADER):
        yield said.says(Subject.MANIFEST_UID, value.strip(), KOS_HEADER)
    for value in wado.all("Host"):
        yield said.says(Subject.HOST, value.strip().lower(), "Host")
    resource = wado.resource
    if resource is not None:
        yield said.says(Subject.STUDY, resource.study, "chemin")
        yield said.says(Subject.SERIES, resource.series, "chemin")
        yield said.says(Subject.INSTANCE, resource.instance, "chemin")


def response(wado: WadoResponse, name: str) -> Facts:
    """The images that an answer holds."""
    for rank, file in wado.files:
        yield from image(file, name, Voice.RESPONSE, f"partie {rank}, ")
