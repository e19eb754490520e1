"""What a PACS holds: instances as they came, indexed by study, series and SOP instance."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from typing import Any

from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from protocols.dicom import (
    DicomSyntaxError,
    build_part10,
    file_meta,
    header_end,
    is_uid,
    read_texts,
    split_part10,
)

__all__ = ["Archive", "Instance"]

_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_TAGS = (_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES)


class Instance:
    """One stored composite object. Its bytes never change."""

    __slots__ = (
        "_attributes",
        "header",
        "series_uid",
        "sop_class",
        "sop_instance",
        "study_uid",
        "tail",
        "transfer_syntax",
    )

    def __init__(self, *, transfer_syntax: str, header: bytes, tail: bytes) -> None:
        """`header` is the encoded data set up to the pixel data, `tail` the rest.

        Raises:
            DicomSyntaxError: unreadable, or without legal class, instance, study, series UIDs.
        """
        texts = read_texts(header, transfer_syntax=transfer_syntax, tags=_TAGS)
        for tag in _TAGS:
            if not is_uid(texts.get(tag, "")):
                raise DicomSyntaxError(f"UID absent ou illégal : {tag:08X}")
        self.sop_class = texts[_SOP_CLASS]
        self.sop_instance = texts[_SOP_INSTANCE]
        self.study_uid = texts[_STUDY]
        self.series_uid = texts[_SERIES]
        self.transfer_syntax = transfer_syntax
        self.header = header
        self.tail = tail
        self._attributes: Any = None

    @property
    def attributes(self) -> Any:
        """The header as a pydicom data set, read when first asked for. Not to be changed."""
        if self._attributes is None:
            meta = file_meta(
                sop_class=self.sop_class,
                sop_instance=self.sop_instance,
                transfer_syntax=self.transfer_syntax,
            )
            self._attributes = dcmread(DicomBytesIO(meta + self.header), stop_before_pixels=True)
        return self._attributes

    def dataset(self) -> bytes:
        """The whole encoded data set."""
        return self.header + self.tail

    def file(self) -> bytes:
        """The instance as a Part 10 file."""
        return build_part10(
            sop_class=self.sop_class,
            sop_instance=self.sop_instance,
            transfer_syntax=self.transfer_syntax,
            dataset=self.dataset(),
        )


class Archive:
    """The instances of a PACS. Safe from any thread.

    Pixel data that several instances share is kept once.
    """

    def __init__(self) -> None:
        self._studies: dict[str, dict[str, dict[str, Instance]]] = {}
        self._owner: dict[str, Instance] = {}
        self._hidden: dict[str, Instance] = {}
        self._tails: dict[bytes, bytes] = {}
        self._lock = threading.Lock()

    def add_file(self, data: bytes, *, replace: bool = True) -> Instance:
        """Keep a Part 10 file.

        Raises:
            DicomSyntaxError: no readable file.
        """
        file = split_part10(data)
        return self.add(file.dataset, transfer_syntax=file.transfer_syntax, replace=replace)

    def add(self, dataset: bytes, *, transfer_syntax: str, replace: bool = True) -> Instance:
        """Keep an encoded data set; one already there is replaced, or kept when not `replace`. What
        was hidden stays hidden, whoever sends it again.

        Raises:
            DicomSyntaxError: unreadable, or without its four UIDs.
        """
        end = header_end(dataset, transfer_syntax=transfer_syntax) or 0
        tail = dataset[end:]
        if tail:
            tail = self._tails.setdefault(hashlib.sha256(tail).digest(), tail)
        instance = Instance(transfer_syntax=transfer_syntax, header=dataset[:end], tail=tail)
        with self._lock:
            if instance.sop_instance in self._hidden:
                return self._hidden[instance.sop_instance]
            present = self._owner.get(instance.sop_instance)
            if present is not None:
                if not replace:
                    return present
                self._drop(present)
            self._owner[instance.sop_instance] = instance
            study = self._studies.setdefault(instance.study_uid, {})
            study.setdefault(instance.series_uid, {})[instance.sop_instance] = instance
        return instance

    def get(self, sop_instance: str) -> Instance | None:
        """The instance of that UID, or None."""
        with self._lock:
            return self._owner.get(sop_instance)

    def remove(
        self, *, study: str | None = None, series: str | None = None, instance: str | None = None
    ) -> int:
        """Forget what matches all the UIDs given, everything without any: how many."""
        gone = self.instances(study=study, series=series, instance=instance)
        with self._lock:
            for one in gone:
                self._drop(one)
        return len(gone)

    def hide(self, sop_instances: Iterable[str]) -> int:
        """Show instances to nobody any more, and keep them: how many."""
        with self._lock:
            gone = [one for uid in sop_instances if (one := self._owner.get(uid)) is not None]
            for one in gone:
                self._drop(one)
                self._hidden[one.sop_instance] = one
        return len(gone)

    def instances(
        self, *, study: str | None = None, series: str | None = None, instance: str | None = None
    ) -> tuple[Instance, ...]:
        """What matches all the UIDs given, in the order stored."""
        with self._lock:
            studies = [self._studies.get(study, {})] if study else list(self._studies.values())
            return tuple(
                one
                for levels in studies
                for series_uid, members in levels.items()
                if series in (None, series_uid)
                for one in members.values()
                if instance in (None, one.sop_instance)
            )

    def _drop(self, instance: Instance) -> None:
        del self._owner[instance.sop_instance]
        study = self._studies[instance.study_uid]
        del study[instance.series_uid][instance.sop_instance]
        if not study[instance.series_uid]:
            del study[instance.series_uid]
        if not study:
            del self._studies[instance.study_uid]
