"""The search form: what the professional narrows the search to, field by field (DB.CO.55)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from drimbox_ref.consumer.values import Search
from spec.imaging_metadata import MODALITIES, REGIONS

__all__ = ["SearchRefused", "read_search"]

_LONGEST_ACCESSION = 16
"""DICOM PS3.5 6.2: an SH."""
_LONGEST_ISSUER = 128


class SearchRefused(Exception):
    """A field that cannot be searched for.

    Attributes:
        problems: French sentences, each naming a field.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(" ; ".join(problems))
        self.problems = problems


def read_search(fields: Mapping[str, Sequence[str]]) -> Search:
    """The search of a form: `modality` and `region` as often as wanted, `from`, `to` (AAAA-MM-JJ or
    JJ/MM/AAAA), `accession`, `issuer`. What is empty or absent sets no limit.

    Raises:
        SearchRefused: a code out of its value set, a date that is none, an interval turned round.
    """
    problems: list[str] = []
    modalities = _codes(fields, "modality", MODALITIES, "Modalité", problems)
    regions = _codes(fields, "region", REGIONS, "Région anatomique", problems)
    start = _day(fields, "from", "Date de début", problems)
    end = _day(fields, "to", "Date de fin", problems)
    if start and end and start > end:
        problems.append("Dates : le début est après la fin")
    accession = _text(fields, "accession")
    if len(accession) > _LONGEST_ACCESSION or "\\" in accession or not accession.isprintable():
        problems.append(
            f"Numéro d'accession : {_LONGEST_ACCESSION} caractères au plus, sans « \\ »"
        )
    issuer = _text(fields, "issuer")
    if len(issuer) > _LONGEST_ISSUER or not issuer.isprintable():
        problems.append(f"Autorité du numéro d'accession : {_LONGEST_ISSUER} caractères au plus")
    if problems:
        raise SearchRefused(*problems)
    return Search(
        modalities=modalities,
        regions=regions,
        date_from=start,
        date_to=end,
        accession=accession,
        accession_issuer=issuer if accession else "",
    )


def _codes(
    fields: Mapping[str, Sequence[str]],
    name: str,
    known: frozenset[str] | Mapping[str, str],
    label: str,
    problems: list[str],
) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(code for code in fields.get(name, ()) if code))
    if any(code not in known for code in codes):
        problems.append(f"{label} : choisissez dans la liste")
    return codes


def _text(fields: Mapping[str, Sequence[str]], name: str) -> str:
    return next((value.strip() for value in fields.get(name, ())), "")


def _day(fields: Mapping[str, Sequence[str]], name: str, label: str, problems: list[str]) -> str:
    """`YYYYMMDD`, as `date` fields send it or as people write it without one."""
    written = _text(fields, name)
    if not written:
        return ""
    day = "-".join(reversed(written.split("/"))) if "/" in written else written
    try:
        return date.fromisoformat(day).strftime("%Y%m%d")
    except ValueError:
        problems.append(f"{label} : une date comme 31/12/2025")
        return ""
