"""What must not leave the laboratory: tokens, private keys, people who are not test patients.

Looked for in the bytes of every file of a dossier as they go by. What is compressed (archives,
pictures, PDF streams) is only seen from outside: a person looks at those.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bench import concealed
from validators.identifiers import is_ins_key_right

__all__ = ["Known", "Leak", "LeakKind", "Scanner", "known_from"]

WINDOW: Final = 64 * 1024
"""Bytes read again with the next chunk: longer than anything that is looked for."""
MOST: Final = 50
"""Leaks told of one file: the first ones are enough to find the rest."""


class LeakKind(StrEnum):
    """What was found, in the words of the refusal."""

    TOKEN = "jeton"
    SECRET = "secret"
    PRIVATE_KEY = "clé privée"
    TLS_KEYS = "secrets de sessions TLS"
    VARIABLE = "valeur d'une variable du profil"
    INS = "matricule INS inconnu du banc"
    NAME = "nom de patient inconnu du banc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One thing that must not be there."""

    file: str
    offset: int
    """Of its first byte in the file."""
    line: int
    kind: LeakKind
    shown: str
    """Enough to recognise it, not enough to use it."""

    @property
    def told(self) -> str:
        """One French line."""
        return f"{self.file}, ligne {self.line}, octet {self.offset} : {self.kind} ({self.shown})"


@dataclass(frozen=True, slots=True)
class Known:
    """Test patients: matricules, and family names in capitals."""

    matricules: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()

    def family(self, name: str) -> bool:
        """Whether that family name is a test patient's, or obviously nobody's."""
        plain = name.strip(" '\"").upper()
        return (
            len(plain) < 2
            or plain.startswith(_TEST_PREFIXES)
            or not any(letter.isalpha() for letter in plain)
            or plain in self.families
        )


_TEST_PREFIXES = ("KIT-", "KIT ", "PAT-", "‹")
"""Ours, and the patients of ANS's public data sets (PAT-TROIS...)."""

Finder = Callable[[bytes, Known], Iterator[tuple[int, LeakKind, str]]]

_JWT: Final = re.compile(
    rb"(?<![A-Za-z0-9_-])((?:ey[A-DI-L]|ew[k-r0-3])[A-Za-z0-9_-]{8,})"
    rb"(?:\.|%2[Ee])[A-Za-z0-9_-]+(?:(?:\.|%2[Ee])[A-Za-z0-9_-]*){1,3}"
)
_BEARER: Final = re.compile(rb"(?i)\b(?:Bearer|Basic|DPoP)[ \t]+([A-Za-z0-9._~+/=-]{20,})")
_NAMES: Final = (
    rb"access_token|actor_token|auth_req_id|client_assertion|client_secret|code_verifier|"
    rb"id_token|id_token_hint|logout_token|proxy_session_id|refresh_token|subject_token|"
    rb"password|passwd|mot_de_passe"
)
# A value of eight characters at least, with a digit or a capital: prose has neither after a name.
_ASSIGNED: Final = re.compile(
    rb"(?i:(?<![\w-])(?:" + _NAMES + rb")[\"']?[ \t]*[:=][ \t]*[\"']?)"
    rb"((?=[A-Za-z._~+/=-]*[0-9])[A-Za-z0-9._~+/=-]{8,})"
)
_PEM: Final = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
# PKCS#8: version 0, then rsaEncryption or id-ecPublicKey. PKCS#12: version 3, then pkcs7-data.
_DER: Final = re.compile(
    rb"\x02\x01[\x00\x01]\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04"
    rb"|\x02\x01[\x00\x01]\x30[\x10-\x20]\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06"
    rb"|\x02\x01\x03\x30(?:\x80|\x82..|\x83...)\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01",
    re.DOTALL,
)
_NSS: Final = re.compile(
    rb"(?m)^(?:CLIENT_RANDOM|(?:CLIENT|SERVER)_(?:HANDSHAKE_)?TRAFFIC_SECRET(?:_0)?) "
    rb"[0-9a-f]{64} [0-9a-f]{64,}"
)
# Sex, year, month (20 and over: unknown), department, commune and order, key. Nothing around it
# that would make it a part of a UID or of a longer number.
_NIR: Final = re.compile(
    rb"(?<![0-9A-Za-z.])([1-478][0-9]{2}(?:0[1-9]|1[0-2]|[2-9][0-9])[0-9](?:[0-9]|[AB])[0-9]{6}"
    rb"[0-9]{2})(?![0-9A-Za-z]|\.[0-9])"
)
_PEOPLE: Final = (
    # HL7v2 PID-5, and sourcePatientInfo of XDS.
    re.compile(rb"(?:^|[\r\n\x0b])PID(?:\|[^|\r\n]*){4}\|([^|^\r\n&~]{1,64})"),
    re.compile(rb"PID-5\|([^|^\r\n&~<]{1,64})"),
    # (0010,0010) of an explicit VR, little endian; of the DICOM JSON model.
    re.compile(rb"\x10\x00\x10\x00PN.\x00([^\x00^=\\\x01-\x1f]{1,64})", re.DOTALL),
    re.compile(
        rb'"00100010"\s*:\s*\{[^{}]{0,40}"Value"\s*:\s*\[\s*\{\s*"Alphabetic"\s*:\s*"([^"^]{1,64})'
    ),
    # HL7v3: the patient of a recordTarget, or of the answer of a patient service.
    re.compile(
        rb"<(?:\w+:)?patient(?:Person)?[\s>](?:(?!</(?:\w+:)?patient(?:Person)?>).){0,2000}?"
        rb"<(?:\w+:)?family(?:\s[^<>]{0,120})?>([^<]{1,64})<",
        re.DOTALL,
    ),
)


class Scanner:
    """Looks at one file as its chunks go by.

    Args:
        file: how a leak names it.
        known: the test patients.
    """

    def __init__(self, file: str, known: Known) -> None:
        self.file = file
        self.known = known
        self._found: dict[tuple[int, LeakKind], Leak] = {}
        self._tail = b""
        self._begin = 0
        """Offset of the tail in the file."""
        self._lines = 0
        """Line ends before the tail."""

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the file."""
        data = self._tail + chunk
        for finder in _FINDERS:
            for offset, kind, shown in finder(data, self.known):
                if len(self._found) < MOST:
                    self._keep(data, offset, kind, shown)
        cut = max(0, len(data) - WINDOW)
        self._lines += data.count(b"\n", 0, cut)
        self._begin += cut
        self._tail = data[cut:]

    def leaks(self) -> list[Leak]:
        """All that was found, in the order of the file."""
        return sorted(self._found.values(), key=lambda leak: (leak.offset, leak.kind))

    def _keep(self, data: bytes, offset: int, kind: LeakKind, shown: str) -> None:
        place = (self._begin + offset, kind)
        if place not in self._found:
            self._found[place] = Leak(
                file=self.file,
                offset=place[0],
                line=1 + self._lines + data.count(b"\n", 0, offset),
                kind=kind,
                shown=shown,
            )


def _tokens(data: bytes, known: Known) -> Iterator[tuple[int, LeakKind, str]]:
    for found in _JWT.finditer(data):
        if _is_jose(found[1]):
            yield found.start(), LeakKind.TOKEN, _digest(found[0])
    for found in _BEARER.finditer(data):
        yield found.start(1), LeakKind.TOKEN, _digest(found[1])
    for found in _ASSIGNED.finditer(data):
        name = re.split(rb"[\"' \t:=]", found[0], maxsplit=1)[0].decode()
        yield found.start(1), LeakKind.SECRET, f"{name}, {len(found[1])} caractères"


def _is_jose(header: bytes) -> bool:
    try:
        read = json.loads(base64.urlsafe_b64decode(header + b"=" * (-len(header) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(read, dict) and "alg" in read


def _keys(data: bytes, known: Known) -> Iterator[tuple[int, LeakKind, str]]:
    for found in _PEM.finditer(data):
        yield found.start(), LeakKind.PRIVATE_KEY, found[0].decode().strip("-")
    for found in _DER.finditer(data):
        yield found.start(), LeakKind.PRIVATE_KEY, "PKCS#8 ou PKCS#12 en DER"
    for found in _NSS.finditer(data):
        yield found.start(), LeakKind.TLS_KEYS, found[0].split(b" ")[0].decode()


def _variables(data: bytes, known: Known) -> Iterator[tuple[int, LeakKind, str]]:
    masked = concealed.in_bytes(data)
    if masked != data:
        first = next(
            at for at, pair in enumerate(zip(masked, data, strict=True)) if len({*pair}) > 1
        )
        yield first, LeakKind.VARIABLE, "valeur prise par env:NOM"


def _people(data: bytes, known: Known) -> Iterator[tuple[int, LeakKind, str]]:
    for found in _NIR.finditer(data):
        matricule = found[1].decode()
        if matricule not in known.matricules and is_ins_key_right(matricule):
            yield found.start(1), LeakKind.INS, f"{matricule[:3]}…"
    for pattern in _PEOPLE:
        for found in pattern.finditer(data):
            name = _decoded(found[1])
            if not known.family(name):
                yield found.start(1), LeakKind.NAME, f"{name.strip()[:1]}…, {len(name)} lettres"


_FINDERS: Final[tuple[Finder, ...]] = (_tokens, _keys, _variables, _people)


def _decoded(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _digest(secret: bytes) -> str:
    return f"sha256 {hashlib.sha256(secret).hexdigest()[:8]}…"


def known_from(cases: Iterable[tuple[str, str]]) -> Known:
    """The patients that pairs (name, matricule) tell; a name is `FAMILY GIVEN`, families cut at
    each of their words so that double names are known whole."""
    families: set[str] = set()
    matricules = set()
    for name, matricule in cases:
        words = name.upper().split()
        families.update(" ".join(words[:count]) for count in range(1, len(words) + 1))
        matricules.add(matricule)
    return Known(frozenset(matricules - {""}), frozenset(families))
