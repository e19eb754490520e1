"""Its PACS: a C-STORE provider of pynetdicom, one file per instance below one folder per study."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.uid import (
    AllTransferSyntaxes,
)
from pynetdicom import AE, AllStoragePresentationContexts, evt


@dataclass(frozen=True)
class Held:
    """One instance, as its header says."""

    path: Path
    sop_class: str
    sop_instance: str
    series: str
    series_number: str
    number: str
    modality: str
    patient_id: str
    accession: str
    study_date: str
    study_time: str
    description: str
    series_description: str


class OwnPacs:
    """The folder is the database: what is taken out of it is gone."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        self._entity = AE(ae_title=settings["ae_title"])
        self._entity.require_called_aet = True
        for context in AllStoragePresentationContexts:
            self._entity.add_supported_context(context.abstract_syntax, list(AllTransferSyntaxes))
        self._entity.add_supported_context("1.2.840.10008.1.1")
        self._port = settings["port"]
        self._server: Any = None
        self._known: dict[Path, Held] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Listen."""
        self._server = self._entity.start_server(
            ("127.0.0.1", self._port), block=False, evt_handlers=[(evt.EVT_C_STORE, self._store)]
        )

    @property
    def address(self) -> str:
        """`host:port` of the provider."""
        return f"127.0.0.1:{self._server.socket.getsockname()[1]}"

    def study(self, uid: str) -> list[Held]:
        """What is there now of a study, by series and number."""
        found = []
        for path in sorted((self.folder / uid).glob("*.dcm")):
            with self._lock:
                if path not in self._known:
                    self._known[path] = _read(path)
                found.append(self._known[path])
        return sorted(found, key=lambda one: (one.series, int(one.number or 0)))

    def _store(self, event: Any) -> int:
        data = event.encoded_dataset()
        header = event.dataset
        folder = self.folder / str(header.StudyInstanceUID)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{header.SOPInstanceUID}.dcm"
        scratch = path.with_suffix(f".{threading.get_ident()}")
        scratch.write_bytes(data)
        os.replace(scratch, path)
        with self._lock:
            self._known.pop(path, None)
        return 0x0000


def _read(path: Path) -> Held:
    header = dcmread(path, stop_before_pixels=True)
    text = {
        name: str(header.get(name, ""))
        for name in (
            "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber",
            "InstanceNumber", "Modality", "PatientID", "AccessionNumber", "StudyDate",
            "StudyTime", "StudyDescription", "SeriesDescription",
        )
    }  # fmt: skip
    return Held(path, *text.values())
