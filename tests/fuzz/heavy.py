"""Fields of 100 MB: `python -m tests.fuzz.heavy NAME` reads one and says how long and how much.

In a process of its own, so that its peak of memory is that of this input alone.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.hostile import deep_dicom
from tests.fuzz.targets import TARGETS
from validators.examples import hl7v2, kos, wado, whitelist

__all__ = ["HEAVY", "SIZE", "Heavy", "measure"]

SIZE = 100_000_000
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Heavy:
    """A huge input for some targets."""

    targets: tuple[str, ...]
    make: Callable[[], bytes]


def _field() -> bytes:
    return hl7v2.oru(payload="A" * SIZE)


def _repetitions() -> bytes:
    return hl7v2.oru().replace(b"PID|1||", b"PID|1||" + b"~^&" * (SIZE // 30), 1)


def _unframed() -> bytes:
    return b"\x0b" + b"A" * SIZE


def _text() -> bytes:
    return whitelist.white_list().replace(b"CENTRE EXEMPLE", b"x" * SIZE, 1)


def _attribute() -> bytes:
    return whitelist.white_list().replace(b"1.0.0", b"1" * SIZE, 1)


def _element() -> bytes:
    long = struct.pack("<HH2sHL", 0x40, 0xA160, b"UT", 0, SIZE) + b"x" * SIZE
    return kos.kos() + long


def _announced() -> bytes:
    return kos.kos() + struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFF0)


def _nested() -> bytes:
    return deep_dicom(SIZE // 40)


def _header() -> bytes:
    return wado.request().replace(b"Bearer ", b"Bearer " + b"x" * SIZE, 1)


def _part() -> bytes:
    image = wado.instance(1) + struct.pack("<HH2sHL", 0x7FE1, 0x10, b"OB", 0, SIZE) + bytes(SIZE)
    return wado.response([image, wado.instance(2)])


def _part_header() -> bytes:
    return wado.response(part=(("Content-Type", "application/dicom" + "x" * SIZE),))


def _token() -> bytes:
    return b"eyJhbGciOiJSUzI1NiJ9." + b"e" * SIZE + b".c2ln"


def _keys() -> bytes:
    return b'{"keys":[' + b"[" * (SIZE // 10)


HEAVY: dict[str, Heavy] = {
    "champ HL7": Heavy(("hl7v2", "judge-oru"), _field),
    "répétitions HL7": Heavy(("hl7v2", "judge-oru"), _repetitions),
    "MLLP sans fin": Heavy(("mllp",), _unframed),
    "texte XML": Heavy(("xml", "white-list-signature", "judge-liste-blanche"), _text),
    "attribut XML": Heavy(("xml", "white-list-signature"), _attribute),
    "élément DICOM": Heavy(("kos", "dicom", "judge-kos"), _element),
    "longueur DICOM annoncée": Heavy(("kos", "dicom", "judge-kos"), _announced),
    "séquences DICOM": Heavy(("kos", "dicom", "judge-kos"), _nested),
    "en-tête HTTP": Heavy(("judge-wado-request",), _header),
    "partie MIME": Heavy(("judge-wado-response",), _part),
    "en-tête MIME": Heavy(("judge-wado-response", "multipart"), _part_header),
    "jeton": Heavy(("jose",), _token),
    "clés": Heavy(("jwks",), _keys),
}


def measure(name: str) -> dict[str, dict[str, float]]:
    """Seconds and growth of the peak (MiB, the input itself apart), by target.

    Raises:
        Exception: what a reader raised that it should not.
    """
    heavy = HEAVY[name]
    data = heavy.make()
    found = {}
    for target in heavy.targets:
        before, begun = _reset_peak(), time.perf_counter()
        TARGETS[target].try_one(data)
        took = time.perf_counter() - begun
        found[target] = {"seconds": round(took, 2), "grown_mib": round((_peak() - before) / 1024)}
    return found


def _reset_peak() -> int:
    """Forget the peak of what made the input; resident KiB now. Linux only, 0 elsewhere."""
    if not _STATUS.exists():
        return 0
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    if not _STATUS.exists():
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
    return int(found[1]) if found else 0


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1])))
