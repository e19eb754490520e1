"""The XDM archive of the lots that a DRIMbox would keep after a first publication.

Réf.: IHE ITI TF Vol. 2, 3.32.4.1.2, grade: standard; folder and CR.TXT of DRIM-M_DATA
("informatif/XDM"), grade: sample. A Source may be tested from such a preloaded archive (ANS FAQ,
grade: faq).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from bench.dataset.lot import KOS_FILE, SIGNATURE_FILE, Lot
from simulators.ris.people import Patient

__all__ = ["folder_of", "pack"]

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of every member: the archive's bytes depend on what it holds alone."""


def folder_of(number: int) -> str:
    """The folder of a submission set, from 1: `SS000001`."""
    return f"SS{number:06}"


def pack(
    lots: Iterable[tuple[Lot, str]], *, patient: Patient, structure: str, moment: datetime
) -> bytes:
    """The archive. Each lot comes with the id of its report; `moment` names the month folder."""
    root = f"KA{moment:%Y%m}"
    files: dict[str, bytes] = {}
    listed: list[str] = []
    for number, (lot, report) in enumerate(lots, 1):
        folder = f"{root}/IHE_XDM/{folder_of(number)}"
        files |= {
            f"{folder}/METADATA.XML": lot.metadata,
            f"{folder}/{KOS_FILE}": lot.kos,
            f"{folder}/{SIGNATURE_FILE}": lot.signature,
            f"{folder}/CR.TXT": _report(report, patient).encode(),
        }
        listed.append(f"IHE_XDM/{folder_of(number)}/METADATA.XML")
    front = {
        f"{root}/INDEX.HTM": _index(structure, listed),
        f"{root}/README.TXT": _readme(structure),
    }
    target = BytesIO()
    with ZipFile(target, "w", ZIP_STORED) as archive:
        for name, data in {**front, **files}.items():
            archive.writestr(ZipInfo(name, _EPOCH), data)
    return target.getvalue()


def _report(report: str, patient: Patient) -> str:
    """Report, INS and IPP, each with its OID; a CDA id that is an OID has no extension."""
    assert patient.ins is not None
    assert patient.ipp is not None
    ins, ipp = patient.ins, patient.ipp
    return ";".join((report, "", ins.value, ins.oid, ipp.value, ipp.oid))


def _readme(structure: str) -> bytes:
    lines = (
        f"Emetteur : {structure}",
        "Produit : drimbench (jeu de donnees de test, patients fictifs)",
        "Contenu : IHE_XDM, un dossier par lot ; la liste est dans INDEX.HTM",
    )
    return ("\r\n".join(lines) + "\r\n").encode("utf-8")


def _index(structure: str, files: Iterable[str]) -> bytes:
    items = "".join(f'<li><a href="{name}">{name}</a></li>' for name in files)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.0//EN" '
        '"http://www.w3.org/TR/xhtml-basic/xhtml-basic10.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr">'
        "<head><title>Archive XDM d'une DRIMbox</title></head>"
        f"<body><p>{escape(structure)}</p><ul>{items}</ul>"
        '<p><a href="README.TXT">README.TXT</a></p></body></html>\n'
    ).encode()
