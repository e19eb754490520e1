"""A kind of artefact of our own: the sticker that our RIS prints, `ACME|IPP|accession`."""

from __future__ import annotations

from collections.abc import Iterator

from drimbench.api import (
    Broken,
    Context,
    Grade,
    Kind,
    Reference,
    RemoteProtocolError,
    RuleSet,
)

__all__ = ["STICKER"]

_TEXT = Reference("Règles du site ACME", "3", Grade.INFERRED)

_RULES = RuleSet(
    "acme-etiquette",
    good=lambda: b"ACME|1234|ACC5678",
    syntax="ACME-100",
    unreadable=lambda: b"1234",
    reference=_TEXT,
)


def read(data: bytes, context: Context) -> tuple[str, ...]:
    """The fields of a sticker.

    Raises:
        RemoteProtocolError: it is not one.
    """
    fields = tuple(data.decode("ascii", "replace").strip().split("|"))
    if len(fields) != 3 or fields[0] != "ACME":
        raise RemoteProtocolError("une étiquette est « ACME|IPP|accession »")
    return fields


@_RULES.rule(
    "ACME-101",
    "L'accession number a seize caractères au plus",
    reference=Reference("DICOM PS3.5", "6.2, SH", Grade.STANDARD),
    bad=lambda: b"ACME|1234|ACC45678901234567",
)
def short(fields: tuple[str, ...]) -> Iterator[Broken]:
    """What a modality would cut."""
    if len(fields[2]) > 16:
        yield Broken(message="L'accession number est trop long.", actual=fields[2])


STICKER = Kind("acme-etiquette", "Étiquette d'ACME", _RULES, read)
