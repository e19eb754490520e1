"""The local cache: whole series on disk, an index of them in the box's database.

A series is indexed once all its files are there, and served only while each has its size: a half
written one is never given, whatever ended the process. What the index does not know is deleted.

Réf.: local cache for a number of days, DB.CO.69, looked up before a Source is asked, DB.CO.70, with
the local IPP, DB.CO.77, grade: draft. That it is kept by professional is ours: rights are personal.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    insert,
    select,
)
from sqlalchemy import update as update_of

from drimbox_ref.consumer.values import Copy, CopyKey, Received, Use
from drimbox_ref.database import Database, to_epoch
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = ["SCHEMA", "SqlCopies"]

SCHEMA = MetaData()

_copies = Table(
    "image_copies",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("ins", Text, nullable=False),
    Column("ins_oid", Text, nullable=False),
    Column("ipp", Text, nullable=False),
    Column("kos_uid", Text, nullable=False),
    Column("series_uid", Text, nullable=False, index=True),
    Column("asked_for", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("images", Text, nullable=False),
    Column("made", Float, nullable=False),
    Column("used", Float, nullable=False),
)

_EXACT = frozenset({EXPLICIT_VR_LITTLE_ENDIAN, "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"})
"""Of the ten syntaxes, those that cannot lose anything; JPEG 2000 (.91) may."""
_DAY_S = 86_400


class SqlCopies:
    """`Copies` in a directory of its own.

    Args:
        quota: bytes that copies nobody reads may take.
        days: how long a copy is kept; what somebody reads stays longer.
    """

    def __init__(self, database: Database, root: Path, *, quota: int, days: int) -> None:
        self._database = database
        self._root = root
        self._quota = quota
        self._life_s = days * _DAY_S
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with database.reading() as connection:
            known = set(connection.scalars(select(_copies.c.name)))
        for found in root.iterdir():
            if found.name not in known:
                shutil.rmtree(found, ignore_errors=True)

    def directory(self) -> Path:
        """A name that nobody has."""
        return self._root / uuid4().hex

    def find(self, key: CopyKey, use: Use, *, now: datetime) -> Copy | None:
        """The latest copy that is whole and fit for that use."""
        query = (
            select(_copies.c.name, _copies.c.asked_for, _copies.c.images)
            .where(*_same(key))
            .order_by(_copies.c.made.desc())
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            images = self._images(row.name, row.images)
            if {image.sop_instance for image in images} != key.instances:
                continue
            if not _fit(Use(row.asked_for), images, use):
                continue
            if not all(_whole(image) for image in images):
                self.delete(self._root / row.name)
                continue
            with self._database.transaction() as connection:
                connection.execute(
                    update_of(_copies).where(_copies.c.name == row.name).values(used=to_epoch(now))
                )
            return Copy(directory=self._root / row.name, images=images)
        return None

    def keep(self, key: CopyKey, use: Use, copy: Copy, *, now: datetime) -> None:
        """Index a copy made in `directory()`."""
        images = [
            (
                str(one.path.relative_to(copy.directory)),
                one.sop_class,
                one.sop_instance,
                one.transfer_syntax,
                one.size,
            )
            for one in copy.images
        ]
        row = {
            "name": copy.directory.name,
            "owner": key.owner,
            "ins": key.ins.value,
            "ins_oid": key.ins.oid,
            "ipp": key.ipp,
            "kos_uid": key.kos_uid,
            "series_uid": key.series_uid,
            "asked_for": use.value,
            "size": sum(one.size for one in copy.images),
            "images": json.dumps(images),
            "made": to_epoch(now),
            "used": to_epoch(now),
        }
        with self._database.transaction() as connection:
            connection.execute(insert(_copies).values(row))

    def trim(self, open_: Collection[Path], *, now: datetime) -> None:
        """Delete what is past its days, then what is beyond the quota."""
        busy = {directory.name for directory in open_}
        query = select(_copies.c.name, _copies.c.size, _copies.c.made).order_by(
            _copies.c.used.desc(), _copies.c.made.desc()
        )
        with self._database.reading() as connection:
            rows = [row for row in connection.execute(query) if row.name not in busy]
        oldest, total = to_epoch(now) - self._life_s, 0
        for row in rows:
            total += row.size
            if row.made <= oldest or total > self._quota:
                self.delete(self._root / row.name)

    def delete(self, directory: Path) -> None:
        """The row first: files without a row are nobody's."""
        with self._database.transaction() as connection:
            connection.execute(delete(_copies).where(_copies.c.name == directory.name))
        shutil.rmtree(directory, ignore_errors=True)

    def _images(self, name: str, written: str) -> tuple[Received, ...]:
        return tuple(
            Received(
                path=self._root / name / path,
                sop_class=sop_class,
                sop_instance=sop_instance,
                transfer_syntax=transfer_syntax,
                size=size,
            )
            for path, sop_class, sop_instance, transfer_syntax, size in json.loads(written)
        )


def _same(key: CopyKey) -> tuple[ColumnElement[bool], ...]:
    return (
        _copies.c.owner == key.owner,
        _copies.c.ins == key.ins.value,
        _copies.c.ins_oid == key.ins.oid,
        _copies.c.ipp == key.ipp,
        _copies.c.kos_uid == key.kos_uid,
        _copies.c.series_uid == key.series_uid,
    )


def _fit(asked_for: Use, images: Sequence[Received], use: Use) -> bool:
    """Whether images asked for one use serve another (DB.CO.73, DB.CO.74)."""
    syntaxes = {image.transfer_syntax for image in images}
    match use:
        case Use.VIEW:
            return True
        case Use.EXPORT:
            return asked_for is use or syntaxes <= _EXACT
        case Use.EXPORT_LOSSY:
            return asked_for in (use, Use.VIEW)
        case Use.EXPORT_UNCOMPRESSED:
            return asked_for is use or syntaxes == {EXPLICIT_VR_LITTLE_ENDIAN}


def _whole(image: Received) -> bool:
    try:
        return image.path.stat().st_size == image.size
    except OSError:
        return False
