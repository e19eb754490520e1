"""ORU with all its rules: whoever builds on them imports the set from here."""

from validators.hl7v2 import (
    encoding,
    oru_document,
    oru_identity,
    oru_meta,
    oru_sender,
    oru_types,
)
from validators.hl7v2.rules import ORU

__all__ = [
    "ORU",
    "encoding",
    "oru_document",
    "oru_identity",
    "oru_meta",
    "oru_sender",
    "oru_types",
]
