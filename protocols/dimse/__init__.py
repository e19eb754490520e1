"""The DICOM upper layer and DIMSE command sets, sans-IO: bytes in, events out, and back.

Réf.: DICOM PS3.8 section 9 (PDUs, states), PS3.7 sections 6.3 and 9.3, annexes D and E (command
sets, user information), grade: standard.
"""

from __future__ import annotations

from protocols.dimse.association import (
    LONGEST_COMMAND,
    LONGEST_DATA_SET,
    LONGEST_PDU,
    MAXIMUM_LENGTH,
    AcceptedContext,
    Association,
    CommandReceived,
    DataReceived,
    Event,
    Role,
    State,
    negotiated,
)
from protocols.dimse.command import NO_DATA_SET, WITH_DATA_SET, Command, Operation
from protocols.dimse.pdu import (
    APPLICATION_CONTEXT,
    HEAD,
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    ContextAnswer,
    PduType,
    ProposedContext,
    ReleaseReply,
    ReleaseRequest,
    UserItem,
)

__all__ = [
    "APPLICATION_CONTEXT",
    "HEAD",
    "LONGEST_COMMAND",
    "LONGEST_DATA_SET",
    "LONGEST_PDU",
    "MAXIMUM_LENGTH",
    "NO_DATA_SET",
    "WITH_DATA_SET",
    "Abort",
    "AcceptedContext",
    "AssociateAccept",
    "AssociateReject",
    "AssociateRequest",
    "Association",
    "Command",
    "CommandReceived",
    "ContextAnswer",
    "DataReceived",
    "Event",
    "Operation",
    "PduType",
    "ProposedContext",
    "ReleaseReply",
    "ReleaseRequest",
    "Role",
    "State",
    "UserItem",
    "negotiated",
]
