"""Judging what a DRIMbox receives by HL7 v2, and how it acknowledges: ORU, MDM, OMI, ACK, MLLP."""

from validators.hl7v2 import ack, mdm_document
from validators.hl7v2.mdm import MDM
from validators.hl7v2.mllp import MLLP, StreamArtefact
from validators.hl7v2.mllp import read as read_stream
from validators.hl7v2.omi import OMI
from validators.hl7v2.oru import ORU
from validators.hl7v2.reading import Hl7Artefact, read
from validators.hl7v2.rules import ACK

__all__ = [
    "ACK",
    "MDM",
    "MLLP",
    "OMI",
    "ORU",
    "Hl7Artefact",
    "StreamArtefact",
    "ack",
    "mdm_document",
    "read",
    "read_stream",
]
