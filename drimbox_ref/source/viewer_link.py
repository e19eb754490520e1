"""The checks of the link by which a report leads to its images (`/IHEInvokeImageDisplay`).

The grammar first, then the archive, then the PACS: whoever asks is not known yet, and only a link
whose identifiers all go together costs the PACS a query. No answer tells anything of the patient.

Réf.: DB.VI_SO.07 (grammar), DB.VI-SO.33 (accession number and study as the PACS has them),
DB.VI_SO.28 (a message for each case), draft REM, grade: draft. The normative section of the viewer
specification is not public.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from urllib.parse import parse_qsl

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.renewal import is_empty, orders_of
from drimbox_ref.source.values import ArchiveEntry, Denied, EntryState
from protocols import kos
from protocols.dicom import is_uid
from protocols.errors import RemoteProtocolError
from spec.viewer import PARAMETERS, REQUEST_TYPE

__all__ = ["LinkChecks"]

_MOST_FIELDS = 20
_LONGEST_QUERY = 2048
_LONGEST_ACCESSION = 16
"""DICOM PS3.5 6.2: an SH."""


class LinkChecks:
    """Decides on a link."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def decide(self, query: str) -> ArchiveEntry | Denied:
        """The exam in force that a query string designates, or what to answer instead: 400 for one
        that cannot be understood, 404 for identifiers that do not go together, 410 for an exam that
        is no more, 503 for a PACS that does not answer.
        """
        values = _read(query)
        if isinstance(values, Denied):
            return values
        study, accession = values["studyUID"], values["accessionNumber"]
        entry = await asyncio.to_thread(self._published, study, values["idCDA"])
        if isinstance(entry, Denied):
            return entry
        return await asyncio.to_thread(self._in_pacs, entry, accession)

    def _published(self, study: str, report: str) -> ArchiveEntry | Denied:
        archive = self._parts.archive
        current = archive.current(study)
        if current is None:
            return _denied(
                404, "Aucun examen publié par ce service ne porte l'identifiant studyUID."
            )
        if current.state is EntryState.DEPUBLISHED:
            return _denied(
                410, "Cet examen n'est plus publié : ses images ne sont plus accessibles."
            )
        # A printed link outlives its version of the report: those of former KOS lead here too.
        kept = (archive.by_kos(one.kos_uid) for one in archive.history(study))
        known = {*current.reports, *(id for one in kept if one for id in one.reports)}
        if report.replace("_", "^", 1) not in known:
            return _denied(404, "Le compte rendu que désigne idCDA n'est pas celui de cet examen.")
        return current

    def _in_pacs(self, entry: ArchiveEntry, accession: str) -> ArchiveEntry | Denied:
        stray = _denied(
            404, "Le numéro que donne accessionNumber n'est pas celui de cet examen dans le PACS."
        )
        try:
            orders = orders_of(kos.decode(entry.kos))
            if accession not in {order.accession for order in orders}:
                return stray
            study = self._parts.examinations.find(entry.study_uid, orders)
        except RemoteProtocolError:
            return _denied(500, "Le manifeste archivé de cet examen est illisible.")
        except PeerUnavailable:
            return _denied(503, "Le PACS ne répond pas : réessayer dans quelques instants.")
        if study is None or is_empty(study):
            return _denied(410, "Les images de cet examen ne sont plus dans le PACS.")
        return entry if accession in study.accessions else stray


def _read(query: str) -> dict[str, str] | Denied:
    """The four parameters; IHE IID has others, which are left alone."""
    unreadable = _denied(
        400, "Adresse illisible : ses paramètres ne sont pas encodés en UTF-8 (%XX)."
    )
    if len(query) > _LONGEST_QUERY:
        return _denied(400, f"Adresse trop longue : {_LONGEST_QUERY} caractères au plus.")
    try:
        fields = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except UnicodeDecodeError:
        return unreadable
    except ValueError:
        return _denied(400, f"Adresse illisible : {_MOST_FIELDS} paramètres au plus.")
    given = [(name, value) for name, value in fields if name in PARAMETERS]
    twice = [name for name, count in Counter(name for name, _ in given).items() if count > 1]
    if twice:
        return _denied(400, f"Adresse ambiguë : {', '.join(twice)} y est plusieurs fois.")
    values = dict(given)
    missing = [name for name in PARAMETERS if not values.get(name)]
    if missing:
        return _denied(400, f"Adresse incomplète : il y manque {', '.join(missing)}.")
    return _illegal(values) or values


def _illegal(values: dict[str, str]) -> Denied | None:
    if values["requestType"] != REQUEST_TYPE:
        return _denied(400, f"Adresse fausse : requestType vaut {REQUEST_TYPE}, et rien d'autre.")
    if not is_uid(values["studyUID"]):
        return _denied(400, "Adresse fausse : studyUID n'est pas un UID DICOM.")
    accession = values["accessionNumber"]
    if len(accession) > _LONGEST_ACCESSION or "\\" in accession or not accession.isprintable():
        return _denied(
            400, f"Adresse fausse : accessionNumber a {_LONGEST_ACCESSION} caractères au plus, "
            "imprimables et sans barre inverse.",
        )  # fmt: skip
    if not is_uid(values["idCDA"].partition("_")[0]):
        return _denied(400, "Adresse fausse : idCDA ne commence pas par un OID.")
    return None


def _denied(status: int, message: str) -> Denied:
    return Denied(status=status, error="", message=message)
