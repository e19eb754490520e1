"""ebRIM 3.0 as XDS.b writes it: submissions, queries, answers. Elements in, dataclasses out.

Réf. IHE ITI TF Vol. 3 section 4.2 (metadata), Vol. 2 sections 3.18, 3.41, 3.43, 3.57; OASIS ebRS
and ebRIM 3.0 (element order).
"""

from protocols.ebrim.model import (
    Association,
    Author,
    Code,
    Defect,
    DocumentEntry,
    EbrimError,
    Slot,
    Submission,
    SubmissionSet,
)
from protocols.ebrim.query import (
    AdhocQuery,
    Parameter,
    QueryResponse,
    build_query,
    build_query_response,
    listed,
    parse_query,
    parse_query_response,
    quoted,
)
from protocols.ebrim.read import parse_submit
from protocols.ebrim.response import (
    RegistryError,
    RegistryResponse,
    build_registry_response,
    parse_registry_response,
)
from protocols.ebrim.retrieve import (
    DocumentRequest,
    DocumentResponse,
    RetrieveResponse,
    build_retrieve,
    build_retrieve_response,
    parse_retrieve,
    parse_retrieve_response,
)
from protocols.ebrim.write import build_provide, build_submit

__all__ = [
    "AdhocQuery",
    "Association",
    "Author",
    "Code",
    "Defect",
    "DocumentEntry",
    "DocumentRequest",
    "DocumentResponse",
    "EbrimError",
    "Parameter",
    "QueryResponse",
    "RegistryError",
    "RegistryResponse",
    "RetrieveResponse",
    "Slot",
    "Submission",
    "SubmissionSet",
    "build_provide",
    "build_query",
    "build_query_response",
    "build_registry_response",
    "build_retrieve",
    "build_retrieve_response",
    "build_submit",
    "listed",
    "parse_query",
    "parse_query_response",
    "parse_registry_response",
    "parse_retrieve",
    "parse_retrieve_response",
    "parse_submit",
    "quoted",
]
