"""What the user gives beside the files to judge: an instant, keys, authorities, a profile."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError
from protocols.jose import TokenError, parse_jwks
from protocols.pki import ChainError, read_certificate
from spec.grade import Grade
from spec.options import OPTIONS
from validators.context import Context
from validators.demands import Demands

if TYPE_CHECKING:
    from bench.profile import Profile

__all__ = ["context_of", "instant_of"]

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_DEMANDED = {field.name for field in fields(Demands)}


def context_of(
    *,
    at: str | None = None,
    jwks: Path | None = None,
    trust: Sequence[Path] = (),
    profile: Path | None = None,
    strict: bool = False,
    floor: Grade | None = None,
) -> Context:
    """The context of a judgement. `strict` and `floor` of the profile hold unless given.

    Raises:
        BenchError: one of them cannot be used; the text says where, what was expected and found.
    """
    named = None if profile is None else _profile(profile)
    return Context(
        at=None if at is None else instant_of(at),
        jwks=b"" if jwks is None else _jwks(jwks),
        authorities=b"".join(map(_authorities, trust)),
        demands=Demands() if named is None or profile is None else _demands(named, profile),
        strict=strict or (named is not None and named.strict),
        floor=floor or (Grade.DRAFT if named is None else named.floor),
    )


def instant_of(text: str) -> datetime:
    """An instant with its zone, as `--at` is written.

    Raises:
        BenchError: it is not one.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BenchError(
            f"--at : attendu un instant ISO 8601 avec son fuseau (2026-11-22T10:15:00Z), "
            f"trouvé « {text} »"
        )
    return found


def _jwks(file: Path) -> bytes:
    data = _read(file)
    try:
        json.loads(data)
    except json.JSONDecodeError as error:
        raise BenchError(f"{file}:{error.lineno} : JSON attendu : {error.msg}") from None
    except (UnicodeDecodeError, RecursionError):
        raise BenchError(f"{file} : JSON attendu, illisible") from None
    try:
        keys = parse_jwks(data)
    except TokenError as error:
        raise BenchError(f'{file} : attendu un JWK Set ({{"keys": […]}}) : {error}') from None
    if not keys.by_kid:
        raise BenchError(f"{file} : attendu une clé RSA de signature, aucune trouvée")
    return data


def _authorities(file: Path) -> bytes:
    """The certificates of a PEM file. Each is read: an unreadable one would be trust in nobody."""
    data = _read(file)
    blocks = list(_BLOCK.finditer(data))
    if not blocks:
        raise BenchError(f"{file} : attendu des certificats PEM, aucun trouvé")
    for block in blocks:
        line = data.count(b"\n", 0, block.start()) + 1
        kind = block[1].decode("ascii")
        if kind != "CERTIFICATE":
            raise BenchError(f"{file}:{line} : attendu CERTIFICATE, trouvé {kind}")
        try:
            read_certificate(block[0])
        except ChainError as error:
            raise BenchError(f"{file}:{line} : {error}") from None
    return b"\n".join(block[0] for block in blocks) + b"\n"


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BenchError(f"{file} : illisible ({error.strerror})") from None


def _profile(file: Path) -> Profile:
    from bench.profile import read

    return read(file)


def _demands(profile: Profile, file: Path) -> Demands:
    """What the profile names; its hosts are those of its table, else that of its Source."""
    known = {option.name: option for option in OPTIONS}
    for name, value in profile.options.items():
        if name not in known:
            raise BenchError(f"{file} : [options] {name} inconnue ; drimbench options les liste")
        if known[name].values and value not in known[name].values:
            choices = ", ".join(f"« {one} »" for one in known[name].values)
            raise BenchError(f"{file} : [options] {name} : attendu {choices}, trouvé « {value} »")
    source = profile.source
    own = (source.host,) if "host" in source.model_fields_set else ()
    demanded = profile.demands
    return Demands(
        image_hosts=demanded.image_hosts or own,
        viewer_hosts=demanded.viewer_hosts,
        schemes=demanded.schemes,
        pdfa=demanded.pdfa,
        **{name: value for name, value in profile.options.items() if name in _DEMANDED},
    )
