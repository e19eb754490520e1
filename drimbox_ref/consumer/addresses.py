"""Where a series is to be asked for, and whether a KOS says so decently.

A KOS comes from outside: its RetrieveURL decides where a token goes, so it is read strictly.

Réf.: RetrieveURL `https://<db host>/.../studies/{study}/series/{series}`, DRIM-M_DATA samples,
grade: sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from drimbox_ref.consumer.values import Exam, ExportFailed, Failure, Series
from protocols.dicomweb import parse_path
from protocols.errors import RemoteProtocolError

__all__ = ["Address", "address_of"]


@dataclass(frozen=True, slots=True)
class Address:
    """A URL and its host, which the white list must know."""

    url: str
    host: str


def address_of(exam: Exam, series: Series) -> Address:
    """The WADO-RS address of a series.

    Raises:
        ExportFailed: no URL, not https, or one that names something else than this series.
    """
    written = series.retrieve_url.strip()
    if not written:
        raise _bad(series, "absente")
    try:
        parts = urlsplit(written)
        host = parts.hostname or ""
        _ = parts.port
        resource = parse_path(parts.path)
    except (ValueError, RemoteProtocolError) as error:
        raise _bad(series, "illisible") from error
    if parts.scheme != "https" or not host or not written.isascii() or not written.isprintable():
        raise _bad(series, "qui n'est pas en https")
    if parts.username is not None or parts.query or parts.fragment or "\\" in written:
        raise _bad(series, "avec des éléments inattendus")
    if resource.level != "series" or resource.suffix:
        raise _bad(series, "qui n'est pas celle d'une série")
    if (resource.study, resource.series) != (exam.study_uid, series.uid):
        raise _bad(series, "d'une autre série")
    return Address(written, host)


def _bad(series: Series, why: str) -> ExportFailed:
    return ExportFailed(
        Failure.RETRIEVAL,
        f"Erreur de récupération : le KOS donne une adresse {why} pour la série {series.uid}.",
    )
