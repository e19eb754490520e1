"""Key Object Selection manifests: the syntax of a KOS, both ways.

What a KOS must say is not here: who builds one, who reads one and who judges one decide that.
"""

from __future__ import annotations

from protocols.kos.decode import decode
from protocols.kos.encode import character_set_for, encode
from protocols.kos.model import (
    Code,
    ContentItem,
    InstanceRef,
    Issuer,
    KeyObjectRef,
    KosSyntaxError,
    Manifest,
    OtherPatientId,
    Request,
    SeriesEvidence,
    StudyEvidence,
    Template,
)
from protocols.kos.text import Description, SeriesLine, format_description, parse_description

__all__ = [
    "Code",
    "ContentItem",
    "Description",
    "InstanceRef",
    "Issuer",
    "KeyObjectRef",
    "KosSyntaxError",
    "Manifest",
    "OtherPatientId",
    "Request",
    "SeriesEvidence",
    "SeriesLine",
    "StudyEvidence",
    "Template",
    "character_set_for",
    "decode",
    "encode",
    "format_description",
    "parse_description",
]
