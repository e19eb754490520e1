"""DIMSE: a provider and a user whose every operation becomes an Exchange.

Associations of C-STORE and C-ECHO alone are ours (`protocols.dimse`), the others pynetdicom's. Data
sets of C-STORE are bytes at both ends: nothing decodes or rewrites an image.
"""

from __future__ import annotations

from wire.dimse.client import DimseClient
from wire.dimse.messages import (
    AbortAssociation,
    AssociationInfo,
    AssociationRefusal,
    Cancellation,
    DimseFailure,
    DimsePeer,
    DimseRefusal,
    FindRequest,
    GetPlan,
    Handlers,
    MovePlan,
    MoveRequest,
    MoveResult,
    Outgoing,
    StoreRequest,
    is_failure,
)
from wire.dimse.record import move_key
from wire.dimse.server import DimseServer, serve_dimse
from wire.dimse.serving import Negotiate
from wire.dimse.store import StoreSession
from wire.dimse.tuning import MAXIMUM_PDU

__all__ = [
    "MAXIMUM_PDU",
    "AbortAssociation",
    "AssociationInfo",
    "AssociationRefusal",
    "Cancellation",
    "DimseClient",
    "DimseFailure",
    "DimsePeer",
    "DimseRefusal",
    "DimseServer",
    "FindRequest",
    "GetPlan",
    "Handlers",
    "MovePlan",
    "MoveRequest",
    "MoveResult",
    "Negotiate",
    "Outgoing",
    "StoreRequest",
    "StoreSession",
    "is_failure",
    "move_key",
    "serve_dimse",
]
