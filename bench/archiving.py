"""The local archive: as it leaves the Source, and as the administrator has it compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from bench.attending import instruct
from bench.changes import ByHand
from bench.holdings import Holding, kos_of
from bench.imaging import Imaging
from bench.outcomes import CannotVerify
from protocols import xml
from protocols.ebrim import parse_submit
from protocols.errors import RemoteProtocolError
from protocols.xml import NS
from validators.api import validate
from validators.finding import Severity

__all__ = ["Archiving"]

_HOME = "IHE_XDM/"
_ENTRY_UUID_SCHEME = "1.2.3"
"""As the sample of DRIM-M_DATA writes it."""


@dataclass(frozen=True, slots=True)
class _Lot:
    """A folder of an exported archive: its files by name, and the front pages beside it."""

    folder: str
    files: dict[str, bytes]
    front: dict[str, bytes]

    def packed(self) -> bytes:
        """An archive of this lot alone, to be judged."""
        target = BytesIO()
        with ZipFile(target, "w") as archive:
            for name, data in self.front.items():
                archive.writestr(name, data)
            for name, data in self.files.items():
                archive.writestr(f"{self.folder}/{name}", data)
        return target.getvalue()


@dataclass(slots=True)
class Archiving:
    """What the administrator has the Source export, and what is in it of the scenario's exam."""

    imaging: Imaging
    _files: list[Path] = field(default_factory=list)

    # -- Quand -------------------------------------------------------------------------------

    def export(self) -> None:
        """The whole archive, as XDM, into a folder of the run.

        Raises:
            CannotVerify: nobody does it, or it failed.
        """
        story = self.imaging.story
        folder = story.bed.directory / "xdm" / story.stage.info.id
        folder.mkdir(parents=True, exist_ok=True)
        try:
            story.bed.changes("export-xdm", (str(folder),))
        except ByHand as asked:
            instruct(story.stage, str(asked))
        self._files = sorted(folder.rglob("*.[zZ][iI][pP]"))

    def resynchronise(self) -> None:
        """A resynchronisation with the PACS, of the scenario's exam at least.

        Raises:
            CannotVerify: nobody does it, or it failed; or the product's PACS is within it.
        """
        story = self.imaging.story
        if story.stage.profile.claims.mode == "native":
            raise CannotVerify(
                "un produit native a son PACS en lui : rien n'en disparaît sans qu'il le sache"
            )
        try:
            story.bed.changes("resync", (self.imaging.exam.study_uid,))
        except ByHand as asked:
            instruct(story.stage, str(asked))

    # -- Alors -------------------------------------------------------------------------------

    def expect_lot(self) -> None:
        """The exported archive has the KOS in force, to the byte, in a lot that says its report and
        the DMP's own identifier."""
        story = self.imaging.story
        held, lot = self._held(), self._lot()
        story.stage.expect(
            "l'archive exportée contient le KOS en vigueur, à l'octet près",
            lot is not None,
            expected=f"le KOS {held.manifest.sop_instance} du DMP",
            actual=f"{len(self._files)} archive(s), aucun lot ne l'a" if lot is None else "trouvé",
        )
        assert lot is not None
        report = story.report().id
        written = lot.files.get("CR.TXT", b"").decode("utf-8", "replace")
        story.stage.expect(
            "le lot garde l'identifiant du compte rendu (CR.TXT)",
            report in written.replace(";", "^"),
            expected=report,
            actual=written.strip() or "pas de CR.TXT",
        )
        found = _entry_uuid(lot.files.get("METADATA.XML", b""), held.entry.unique_id)
        story.stage.expect(
            "le lot garde l'entryUUID que le DMP a donné",
            found == held.entry.id.removeprefix("urn:uuid:"),
            expected=held.entry.id,
            actual=found or "aucun",
        )

    def expect_conform(self) -> None:
        """The scenario's lot, with the front pages of its archive, breaks no rule of XDM."""
        lot = self._lot()
        if lot is None:
            raise CannotVerify("le lot de l'examen n'est pas dans l'archive exportée")
        report = validate(lot.packed(), "xdm")
        broken = [one for one in report.findings if one.severity is Severity.ERROR]
        self.imaging.story.stage.expect(
            "le lot exporté se juge conforme",
            not broken,
            expected="aucune erreur des règles XDM et METADATA",
            actual="; ".join(f"{one.rule} {one.message}" for one in broken[:5]) or "aucune",
        )

    # -- reading -----------------------------------------------------------------------------

    def _held(self) -> Holding:
        found = [one for one in kos_of(self.imaging.story, self.imaging.exam) if one.approved]
        if len(found) != 1:
            raise CannotVerify(f"{len(found)} KOS en vigueur dans le DMP pour cet examen")
        return found[0]

    def _lot(self) -> _Lot | None:
        """The lot whose files hold the KOS in force."""
        held = self._held()
        uid = held.entry.unique_id.encode()
        for lot in self._lots():
            if any(uid in data and data == held.content for data in lot.files.values()):
                return lot
        return None

    def _lots(self) -> Iterator[_Lot]:
        for file in self._files:
            try:
                with ZipFile(file) as archive:
                    members = {
                        info.filename: archive.read(info)
                        for info in archive.infolist()
                        if not info.is_dir()
                    }
            except (BadZipFile, OSError, NotImplementedError, RuntimeError):
                continue
            root = next((n[: n.index(_HOME)] for n in members if _HOME in n), None)
            if root is None:
                continue
            home = f"{root}{_HOME}"
            front = {
                name: data
                for name, data in members.items()
                if name.startswith(root) and "/" not in name[len(root) :]
            }
            folders: dict[str, dict[str, bytes]] = {}
            for name, data in members.items():
                if name.startswith(home) and "/" in name[len(home) :]:
                    folder, _, last = name.rpartition("/")
                    folders.setdefault(folder, {})[last] = data
            for folder, files in folders.items():
                yield _Lot(folder, files, front)


def _entry_uuid(metadata: bytes, unique_id: str) -> str:
    """The DMP's identifier that METADATA.XML keeps of a document, without `urn:uuid:`; "" without.

    It may be a SubmitObjectsRequest or the whole envelope that was sent: samples are both.
    """
    try:
        root = xml.parse(metadata)
        request = next(root.iter(f"{{{NS['lcm']}}}SubmitObjectsRequest"))
        ids = {one.id for one in parse_submit(request).entries if one.unique_id == unique_id}
    except (RemoteProtocolError, StopIteration):
        return ""
    rim = f"{{{NS['rim']}}}"
    for element in root.iter(f"{rim}ExtrinsicObject"):
        if element.get("id") in ids:
            for holder in element.iter(f"{rim}ExternalIdentifier"):
                if holder.get("identificationScheme") == _ENTRY_UUID_SCHEME:
                    return str(holder.get("value", "")).removeprefix("urn:uuid:")
    return ""
