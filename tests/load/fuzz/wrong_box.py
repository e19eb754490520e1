"""An MLLP box that is wrong at one word: it dies, keeps silent, forgets how to answer, prints a
trace, or keeps all it is sent; or a DIMSE listener that never lets go of who says that word.
`python wrong_box.py READY WRONG WORD`."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from pathlib import Path


def _serve(link: socket.socket, wrong: str, word: bytes, kept: list[bytes]) -> None:
    data = b""
    while b"\x1c\r" not in data:
        got = link.recv(65536)
        if not got:
            link.close()
            return
        data += got
    if word in data:
        if wrong == "crash":
            os._exit(3)
        if wrong == "hang":
            threading.Event().wait()
        if wrong == "twin":
            kept.append(b"deaf")
        if wrong == "trace":
            sys.stdout.write("Traceback (most recent call last)\nKeyError: 'OBX'\n")
            sys.stdout.flush()
    if wrong == "growth":
        kept.append(os.urandom(4 << 20))
    deaf = wrong == "twin" and kept
    link.sendall(b"\x0bMSH|^~\\&|\rMSA|" + (b"AE" if deaf else b"AA") + b"|1\r\x1c\r")
    link.close()


def _serve_dimse(link: socket.socket, word: bytes) -> None:
    echoed = b"\0\0\0\x01\x02\0\0\0\x30\x80" + b"\0\0\0\x09\x02\0\0\0\0\0"
    answers = {
        1: b"\x02\0\0\0\0\0",
        4: b"\x04\0\0\0\0\x14" + echoed,
        5: b"\x06\0\0\0\0\x04\0\0\0\0",
    }
    with link:
        while len(head := link.recv(6, socket.MSG_WAITALL)) == 6:
            if word in link.recv(int.from_bytes(head[2:], "big"), socket.MSG_WAITALL):
                threading.Event().wait()
            link.sendall(answers.get(head[0], b""))
            if head[0] not in (1, 4):
                return


def main() -> None:
    ready, wrong, word = sys.argv[1:]
    kept: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        Path(ready).write_text(json.dumps({"pid": os.getpid(), "mllp": address, "dicom": address}))
        while True:
            link, _ = server.accept()
            said = word.encode()
            threading.Thread(
                target=_serve_dimse if wrong == "half" else _serve,
                args=(link, said) if wrong == "half" else (link, wrong, said, kept),
                daemon=True,
            ).start()


if __name__ == "__main__":
    main()
