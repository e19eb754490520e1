"""Hours of the day during which nothing that can wait is begun."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

__all__ = ["Window", "window"]

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of each day, local time, during which nothing is begun; it may go past midnight."""

    begin: time
    end: time

    def ends(self, now: datetime) -> datetime | None:
        """When it ends, if `now` (aware) is in it."""
        moment = now.time()
        if self.begin <= self.end:
            within = self.begin <= moment < self.end
        else:
            within = moment >= self.begin or moment < self.end
        if not within:
            return None
        end = now.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)
        return end if end > now else end + timedelta(days=1)


def window(written: str) -> Window:
    """`08:00-18:30`.

    Raises:
        ValueError: it is not one, or it has no end.
    """
    found = _WINDOW.fullmatch(written.strip())
    if found is None or found[1] + found[2] == found[3] + found[4]:
        raise ValueError(f"plage horaire attendue (08:00-18:00), trouvé {written!r}")
    hours = [int(part) for part in found.groups()]
    return Window(time(hours[0], hours[1]), time(hours[2], hours[3]))
