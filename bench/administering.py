"""What the reference's administrator does, where the bench is its administrator.

A vendor's product is asked by its own program, or a person is (`bench.changes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.changes import by_hand
from bench.outcomes import CannotVerify
from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.config import load
from drimbox_ref.source.inbox import SqlInbox
from drimbox_ref.source.orders import RESYNC, write_order
from drimbox_ref.source.state import open_database
from drimbox_ref.source.xdm_export import export

__all__ = ["ByCommand"]


@dataclass(frozen=True, slots=True)
class ByCommand:
    """The reference's own commands, on the box of that configuration while it runs."""

    config: Path

    def __call__(self, action: str, identifiers: Sequence[str]) -> None:
        """Carry it out.

        Raises:
            CannotVerify: it failed.
            ByHand: the reference has no command for it.
        """
        if action not in ("export-xdm", RESYNC):
            by_hand(action, identifiers)
        config = load(self.config)
        with closing(open_database(config)) as database:
            if action == RESYNC:
                now = datetime.now(UTC)
                order = write_order(RESYNC, identifiers[0])
                SqlInbox(database).put(f"{RESYNC}-{now.isoformat()}", order, now=now)
                return
            done = export(SqlArchive(database), Path(identifiers[0]), sender=config.box.name)
        if done.failures:
            raise CannotVerify(f"export de l'archive : {done.failures[0]}")
