"""MLLP by plain sockets: a block in, an acknowledgement out."""

from __future__ import annotations

import socketserver
import threading
import uuid
from datetime import UTC, datetime

from feeding import Feeder
from report import Refused, read, segments

START, END = b"\x0b", b"\x1c\r"


class MessageDoor:
    """One thread per connection."""

    def __init__(self, feeder: Feeder, port: int) -> None:
        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                pending = b""
                while data := self.connection.recv(65536):
                    pending += data
                    while END in pending:
                        block, pending = pending.split(END, 1)
                        said = answer(block.removeprefix(START).decode("utf-8"), feeder)
                        self.wfile.write(START + said.encode("utf-8") + END)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", port), Connection)
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """`host:port`."""
        host, port = self._server.server_address[:2]
        return f"{host}:{port}"

    def start(self) -> None:
        """Listen."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def answer(message: str, feeder: Feeder) -> str:
    """The acknowledgement, once the message is in the queue."""
    msh = segments(message)["MSH"][0]
    try:
        report = read(message)
    except Refused as error:
        return _ack(msh, "AE", str(error))
    feeder.take(report)
    return _ack(msh, "AA", "")


def _ack(msh: list[str], code: str, why: str) -> str:
    event = msh[9].split("^")[1]
    lines = [
        "|".join((
            "MSH", "^~\\&", msh[5], msh[6], msh[3], msh[4],
            f"{datetime.now(UTC):%Y%m%d%H%M%S}+0000", "", f"ACK^{event}^ACK",
            uuid.uuid4().hex[:20], msh[11], msh[12], "", "", "", "", "FRA", "UNICODE UTF-8",
        )),
        f"MSA|{code}|{msh[10]}",
    ]  # fmt: skip
    if why:
        plain = why.replace("\\", "\\E\\").replace("|", "\\F\\").replace("^", "\\S\\")
        lines.append(f"ERR|||103^Table value not found^HL70357|E||||{plain}")
    return "\r".join(lines) + "\r"
