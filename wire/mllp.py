"""MLLP on TCP or TLS: a server and a client that observe each message with its acknowledgement.

An exchange's bodies are the HL7 messages without their framing; what the framing had of its own
(bytes between blocks, a second block after an acknowledgement) is told in the payload's head.
"""

from __future__ import annotations

from wire.mllp_client import MllpClient, MllpTimeout
from wire.mllp_server import Handler, MllpServer, PeerInfo, serve_mllp

__all__ = ["Handler", "MllpClient", "MllpServer", "MllpTimeout", "PeerInfo", "serve_mllp"]
