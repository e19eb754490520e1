"""What each message said of a report, so that one that comes late undoes nothing.

A creation that arrives after the withdrawal or the next version of the same report is overtaken:
versions of a document have a number and a set in common, and MSH-7 says when each was sent. No
public text settles it (CI-SIS volet, evenements-declenchants, gives the signals; grade: standard).
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select

from drimbox_ref.database import Database, insert_into
from drimbox_ref.source.tables import inbox, versions
from drimbox_ref.source.values import Action, ReportOrder

__all__ = ["SqlVersions"]

_WITHDRAWN, _IN_FORCE = 1, 0
_DIGITS = 14


class SqlVersions:
    """`Versions` in the state file, a row for each exam of each message."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, inbox_id: int, report: ReportOrder) -> None:
        """Remember a message that is worked on, once."""
        rows = [
            {
                "inbox_id": inbox_id,
                "study_uid": exam.study_uid,
                "set_id": _set_of(report),
                "version": report.version,
                "withdrawn": _WITHDRAWN if report.action is Action.DELETE else _IN_FORCE,
                "sent": _moment(report),
            }
            for exam in report.exams
        ]
        with self._database.transaction() as connection:
            connection.execute(insert_into(connection, versions).on_conflict_do_nothing(), rows)

    def overtaken(self, inbox_id: int, report: ReportOrder) -> bool:
        """Another message about the same report, and about one of its exams, came, which this one
        would undo: a later version; or, sent no earlier, the withdrawal of this one. A withdrawal
        is overtaken only by a version sent after it."""
        later = versions.c.version > report.version
        if report.action is Action.DELETE:
            beyond = and_(later, versions.c.sent > _moment(report))
        else:
            withdrawn = and_(
                versions.c.version == report.version,
                versions.c.withdrawn == _WITHDRAWN,
                versions.c.sent >= _moment(report),
            )
            beyond = or_(later, withdrawn)
        return self._any(report, inbox_id, beyond)

    def known(self, inbox_id: int, report: ReportOrder) -> bool:
        """Another message gave the report that this one withdraws."""
        return self._any(report, inbox_id, versions.c.withdrawn == _IN_FORCE)

    def others(self, report: ReportOrder, study_uid: str) -> bool:
        """Another report, taken and not withdrawn, is about that exam as well."""
        statement = (
            select(versions.c.set_id, versions.c.version, versions.c.withdrawn)
            .join(inbox, inbox.c.id == versions.c.inbox_id)
            .where(
                versions.c.study_uid == study_uid,
                versions.c.set_id != _set_of(report),
                inbox.c.state == "done",
            )
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        last: dict[str, tuple[int, int]] = {}
        for row in rows:
            last[row.set_id] = max(last.get(row.set_id, (0, 0)), (row.version, row.withdrawn))
        return any(withdrawn == _IN_FORCE for _, withdrawn in last.values())

    def _any(self, report: ReportOrder, inbox_id: int, condition: ColumnElement[bool]) -> bool:
        # About one of its exams: a set that unrelated reports share must not silence them.
        exams = [exam.study_uid for exam in report.exams]
        statement = (
            select(versions.c.inbox_id)
            .where(
                versions.c.study_uid.in_(exams),
                versions.c.set_id == _set_of(report),
                versions.c.inbox_id != inbox_id,
                condition,
            )
            .limit(1)
        )
        with self._database.reading() as connection:
            return connection.execute(statement).first() is not None


def _set_of(report: ReportOrder) -> str:
    return str(report.set_id or report.report)


def _moment(report: ReportOrder) -> str:
    """Comparable whatever its precision: a day stands for its beginning."""
    return report.sent.ljust(_DIGITS, "0")
