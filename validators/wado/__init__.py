"""Judging WADO-RS between DRIMboxes: the request and the response."""

from validators.wado import frames, instances, metadata, objects, request, response
from validators.wado.reading import (
    WadoPart,
    WadoRequest,
    WadoResponse,
    read_request,
    read_response,
)
from validators.wado.rules import REQUEST, RESPONSE

__all__ = [
    "REQUEST",
    "RESPONSE",
    "WadoPart",
    "WadoRequest",
    "WadoResponse",
    "frames",
    "instances",
    "metadata",
    "objects",
    "read_request",
    "read_response",
    "request",
    "response",
]
