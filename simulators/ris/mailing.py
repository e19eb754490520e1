"""The mail of MSSanté by which a RIS sends a report to a correspondent.

Réf.: REM RIS MSS/CONF.14 to .16 (headers), .23 (one patient, an XDM archive and the same documents
as PDF/A-1), .24 (the patient is named by METADATA.XML), .25 (subject), grade: draft; IHE ITI TF
Vol. 2, 3.32 (layout of the archive), grade: standard.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from io import BytesIO
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from protocols import ebrim, xml
from simulators.ris import described
from simulators.ris.depositing import REPORT, entry_of, lot_of
from simulators.ris.report import Report
from spec.hl7v2 import IMAGING_REPORT

__all__ = ["compose"]

_LABEL = "CR d'imagerie médicale"
_LONGEST_LABEL = 40
_ARCHIVE = "IHE_XDM.ZIP"
_FOLDER = "IHE_XDM/SUBSET01"
_METADATA, _DOCUMENT = "METADATA.XML", "CR000001.XML"


def compose(
    report: Report,
    *,
    sender: str,
    recipient: str,
    installation: str,
    uuid: Callable[[], UUID],
) -> bytes:
    """The mail, RFC 5322. `installation` is the OID of the RIS, sourceId of the archive's lot."""
    document = report.document()
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = sender, recipient
    mail["Date"] = format_datetime(report.created)
    mail["Message-ID"] = f"<{uuid()}@{sender.rpartition('@')[2]}>"
    mail["Subject"] = _subject(report)
    mail["X-MSS-INS"] = "O" if report.patient.ins else "N"
    mail["X-MSS-CODECDA"] = IMAGING_REPORT
    mail["X-MSS-NIL"] = "KIT-0000"
    mail.set_content("Compte rendu d'imagerie en pièce jointe.\n")
    archive = _archive(report, document, installation, uuid)
    mail.add_attachment(archive, maintype="application", subtype="zip", filename=_ARCHIVE)
    mail.add_attachment(
        report.pdf(), maintype="application", subtype="pdf", filename="CR000001.PDF"
    )
    return mail.as_bytes()


def _subject(report: Report) -> str:
    patient = report.patient
    born = datetime.strptime(patient.birth_date, "%Y%m%d").replace(tzinfo=UTC)
    family = unicodedata.normalize("NFD", patient.family).encode("ascii", "ignore").decode()
    label = _LABEL[:_LONGEST_LABEL]
    return f"XDM/1.0/DDM+{label} {family.upper()} {patient.given} {born:%d/%m/%Y}"


def _archive(report: Report, document: bytes, installation: str, uuid: Callable[[], UUID]) -> bytes:
    lot = lot_of(report, report.created, installation=installation, unique_id=f"2.25.{uuid().int}")
    entry = entry_of(report, document, uri=(_DOCUMENT,))
    metadata = ebrim.build_submit(lot, (entry,), described.links(REPORT)[:1])
    files = {
        "INDEX.HTM": _index().encode(),
        "README.TXT": "Compte rendu de test de drimbench, sans valeur médicale.\r\n".encode(),
        f"{_FOLDER}/{_METADATA}": xml.serialize(metadata),
        f"{_FOLDER}/{_DOCUMENT}": document,
    }
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(ZipInfo(name, report.created.timetuple()[:6]), data, ZIP_DEFLATED)
    return packed.getvalue()


def _index() -> str:
    return (
        '<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>Compte rendu</title>'
        f'</head><body><p><a href="{_FOLDER}/{_DOCUMENT}">{_LABEL}</a></p></body></html>'
    )
