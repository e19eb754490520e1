"""The checks of the link by which a report leads to its images (`/IHEInvokeImageDisplay`).

The grammar at once, whoever asks: it tells nothing. The rest for somebody who has logged in: the
archive, then the PACS, which only a link whose identifiers all go together costs a query.

Réf.: DB.VI_SO.07 (grammar), DB.VI-SO.33 (accession number and study as the PACS has them),
DB.VI_SO.28 (a message for each case), draft REM, grade: draft. The normative section of the viewer
specification is not public.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.ports import Archive, Examinations
from drimbox_ref.source.renewal import is_empty, orders_of
from drimbox_ref.source.values import ArchiveEntry, EntryState
from protocols import kos
from protocols.dicom import is_uid
from protocols.errors import RemoteProtocolError
from spec.viewer import PARAMETERS, REQUEST_TYPE

__all__ = ["Link", "LinkChecks", "LinkRefused", "read_link"]

_MOST_FIELDS = 20
_LONGEST_QUERY = 2048
_LONGEST_ACCESSION = 16
"""DICOM PS3.5 6.2: an SH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What an address says, its grammar checked and nothing else."""

    study: str
    accession: str
    report: str

    @property
    def query(self) -> str:
        """The address again, without what is not of its grammar."""
        values = REQUEST_TYPE, self.study, self.accession, self.report
        return urlencode(dict(zip(PARAMETERS, values, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRefused:
    """What to answer: HTTP status and French text; `reason` is for the audit trail alone."""

    status: int
    message: str
    reason: str = ""


def read_link(query: str) -> Link | LinkRefused:
    """The link of a query string; 400 names the parameter that is wrong. Knows of no exam."""
    values = _read(query)
    if isinstance(values, LinkRefused):
        return values
    return Link(
        study=values["studyUID"], accession=values["accessionNumber"], report=values["idCDA"]
    )


class LinkChecks:
    """`Links`: decides on a link, for somebody who has logged in."""

    def read(self, query: str) -> Link | LinkRefused:
        """As `read_link`."""
        return read_link(query)

    def decide(
        self, link: Link, *, archive: Archive, examinations: Examinations
    ) -> ArchiveEntry | LinkRefused:
        """The exam in force that a link designates, or what to answer instead: 404 for identifiers
        that do not go together, 410 for an exam that is no more, 503 for a silent PACS.

        Whichever identifier is wrong, the answer is the same: none can be looked for by the others.
        """
        current = archive.current(link.study)
        if current is None:
            return _stray("studyUID : aucun KOS de cet examen")
        # A printed link outlives its version of the report: those of former KOS lead here too.
        kept = (archive.by_kos(one.kos_uid) for one in archive.history(link.study))
        known = {*current.reports, *(id for one in kept if one for id in one.reports)}
        if link.report.replace("_", "^", 1) not in known:
            return _stray("idCDA : pas un compte rendu de cet examen")
        try:
            orders = orders_of(kos.decode(current.kos))
        except RemoteProtocolError:
            return _denied(500, "Le manifeste archivé de cet examen est illisible.")
        if link.accession not in {order.accession for order in orders}:
            return _stray("accessionNumber : pas celui du KOS")
        if current.state is EntryState.DEPUBLISHED:
            return _denied(
                410, "Cet examen n'est plus publié : ses images ne sont plus accessibles."
            )
        try:
            study = examinations.find(current.study_uid, orders)
        except PeerUnavailable:
            return _denied(503, "Le PACS ne répond pas : réessayer dans quelques instants.")
        if study is None or is_empty(study):
            return _denied(410, "Les images de cet examen ne sont plus dans le PACS.")
        if link.accession not in study.accessions:
            return _stray("accessionNumber : pas celui du PACS")
        return current


def _read(query: str) -> dict[str, str] | LinkRefused:
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


def _illegal(values: dict[str, str]) -> LinkRefused | None:
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


def _denied(status: int, message: str) -> LinkRefused:
    return LinkRefused(status=status, message=message, reason=message)


def _stray(reason: str) -> LinkRefused:
    return LinkRefused(
        status=404,
        message="Les identifiants de ce lien (studyUID, accessionNumber, idCDA) ne désignent pas "
        "ensemble un examen publié par ce service.",
        reason=reason,
    )
