"""A ZIP of an exam laid out as portable media: DICOMDIR, images, a page and a note to read.

The whole exam or nothing, as for a PACS. Images are asked for uncompressed, which every reader of
media takes (STD-GEN-CD); what a Source gives otherwise stays as it is, and the note says so.

Réf.: DB.CO.71, grade: draft; IHE RAD TF-2 4.47 (Distribute Imaging Information on Media): INDEX.HTM
and README.TXT at the root, IHE_PDI for what is not DICOM; DICOM PS3.11 annex D (STD-GEN-CD), file
identifiers of 8 characters, PS3.10 8.2, grade: standard.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import IO

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.fileset import FileSet

from drimbox_ref.consumer.accounts import account
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Fetch, Library
from drimbox_ref.consumer.sessions import Login
from drimbox_ref.consumer.values import Call, Exam, ExportFailed, Failure, Received, Use
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = ["PortableMedia", "write_media"]

_README = """\
Ce support contient un examen d'imagerie au format DICOM, organise selon le profil
IHE Portable Data for Imaging (PDI).

DICOMDIR     index des images, que lit tout logiciel d'imagerie medicale
INDEX.HTM    sommaire, pour un navigateur
IHE_PDI      contenu qui n'est pas DICOM

Produit par une DRIMbox Consommatrice le {date} (UTC), a la demande d'un professionnel de sante.
L'identifiant du patient est celui de la structure qui a produit ce support.
{syntaxes}
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title></head><body>
<h1>{title}</h1>
<dl><dt>Patient</dt><dd>{patient}</dd><dt>Date de l'examen</dt><dd>{date}</dd></dl>
<ul>
{series}
</ul>
<p>Les images se lisent avec un logiciel d'imagerie m&eacute;dicale, &agrave; partir de
<a href="DICOMDIR">DICOMDIR</a>. <a href="README.TXT">README.TXT</a></p>
</body></html>
"""


class PortableMedia:
    """Makes ZIPs, one at a time.

    Args:
        spool: a directory of its own; what is in it is deleted at start.
        limit: bytes that the images of one exam may take there.
    """

    def __init__(self, parts: Parts, library: Library, *, spool: Path, limit: int) -> None:
        self._parts = parts
        self._library = library
        self._spool = spool
        self._limit = limit
        self._turn = asyncio.Lock()
        shutil.rmtree(spool, ignore_errors=True)
        spool.mkdir(parents=True, mode=0o700)

    async def make(self, call: Call, login: Login, exam: Exam) -> IO[bytes]:
        """A ZIP of the exam, at its beginning: a file without a name, gone once it is closed.

        Raises:
            ExportFailed: the exam is not whole, or cannot be put on media.
        """
        failed: ExportFailed | None = ExportFailed(Failure.INTERRUPTED, "ZIP interrompu.")
        try:
            async with self._turn:
                made = await self._make(call, login, exam)
            failed = None
            return made
        except ExportFailed as error:
            failed = error
            raise
        finally:
            await account(
                self._parts,
                exam,
                failed,
                subject=login.professional.id,
                patient=call.ins,
                destination="ZIP",
            )

    async def _make(self, call: Call, login: Login, exam: Exam) -> IO[bytes]:
        fetches = [
            self._library.open(call, login, exam, series, use=Use.EXPORT_UNCOMPRESSED)
            for series in exam.series
        ]
        try:
            images = await self._gather(fetches)
            now = self._parts.clock.now()
            return await asyncio.to_thread(self._write, images, call, exam, now)
        finally:
            for fetch in fetches:
                fetch.close()

    async def _gather(self, fetches: Sequence[Fetch]) -> list[Received]:
        images: list[Received] = []
        for fetch in fetches:
            while not fetch.ended:
                await fetch.changed(fetch.total)
            if fetch.failure is not None:
                raise fetch.failure
            images += fetch.received
            if sum(image.size for image in images) > self._limit:
                raise ExportFailed(
                    Failure.RETRIEVAL, "Erreur de récupération : l'examen dépasse la taille admise."
                )
        return images

    def _write(
        self, images: Sequence[Received], call: Call, exam: Exam, now: datetime
    ) -> IO[bytes]:
        file: IO[bytes] = tempfile.TemporaryFile(dir=self._spool)  # noqa: SIM115 (the caller closes it)
        try:
            with (
                tempfile.TemporaryDirectory(dir=self._spool) as directory,
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
            ):
                media = Path(directory) / "media"
                write_media(images, media, call, exam, now=now)
                for path in sorted(media.rglob("*")):
                    if path.is_file():
                        packed.write(path, path.relative_to(media).as_posix())
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file


def write_media(
    images: Sequence[Received], media: Path, call: Call, exam: Exam, *, now: datetime
) -> None:
    """Lay the images out in the directory `media`, which is made. One is in memory at a time.

    Raises:
        ExportFailed: an image lacks what a DICOMDIR must say.
    """
    files = FileSet()
    try:
        for image in images:
            files.add(_named(dcmread(image.path)))
        files.write(media)
    except (ValueError, InvalidDicomError, AttributeError) as error:
        raise ExportFailed(
            Failure.RETRIEVAL, f"Une image ne peut être mise sur un support DICOM : {error}."
        ) from error
    other = sorted({one.transfer_syntax for one in images} - {EXPLICIT_VR_LITTLE_ENDIAN})
    said = f"Images compressees telles que rendues : {', '.join(other)}." if other else ""
    readme = _README.format(date=f"{now:%d/%m/%Y %H:%M}", syntaxes=said)
    (media / "README.TXT").write_bytes(readme.replace("\n", "\r\n").encode("ascii"))
    (media / "INDEX.HTM").write_text(_page(call, exam), encoding="utf-8")
    (media / "IHE_PDI").mkdir()
    (media / "IHE_PDI" / "README.TXT").write_bytes(b"Rien d'autre que du DICOM.\r\n")


def _named(image: Dataset) -> Dataset:
    """The image, with the numbers that a DICOMDIR wants and an acquisition may leave empty.

    They are type 1 there and type 2 in images (PS3.3 F.5 against C.7.2.1, C.7.3.1, C.7.6.1).
    """
    for keyword, value in (("StudyID", "1"), ("SeriesNumber", "0"), ("InstanceNumber", "0")):
        if not image.get(keyword) and image.get(keyword) != 0:
            setattr(image, keyword, value)
    return image


def _page(call: Call, exam: Exam) -> str:
    series = "\n".join(
        f"<li>{escape(' - '.join(filter(None, (one.modality, one.region, one.description))))} : "
        f"{len(one.instances)} image(s)</li>"
        for one in exam.series
    )
    date = (
        f"{exam.date[6:]}/{exam.date[4:6]}/{exam.date[:4]}" if len(exam.date) == 8 else "inconnue"
    )
    return _PAGE.format(
        title=escape(exam.description or "Examen d'imagerie"),
        patient=escape(f"{call.family} {call.given}"),
        date=date,
        series=series,
    )
