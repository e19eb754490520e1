"""Judging the messages between a RIS and a DRIMbox: ORU^R01 and its acknowledgement."""

from validators.hl7v2 import ack, oru_document, oru_identity, oru_meta, oru_sender
from validators.hl7v2.reading import Hl7Artefact, read
from validators.hl7v2.rules import ACK, ORU

__all__ = [
    "ACK",
    "ORU",
    "Hl7Artefact",
    "ack",
    "oru_document",
    "oru_identity",
    "oru_meta",
    "oru_sender",
    "read",
]
