"""The professional's telephone or card reader: answers the CIBA requests that PSC shows on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Answer", "Asked", "Phone"]


class Answer(StrEnum):
    """What the professional does with a request."""

    ACCEPT = "accepte"
    REFUSE = "refuse"
    IGNORE = "ignore"
    """Leaves it on the screen; it may still be answered, until it expires."""


@dataclass(slots=True)
class Asked:
    """A request as the telephone shows it. `message`: the two digits to compare."""

    auth_req_id: str
    professional: str
    client_id: str
    message: str
    channel: str
    answer: Answer = Answer.IGNORE


class Phone:
    """Every professional's, in one object. `habit` answers what arrives from now on."""

    def __init__(self) -> None:
        self.habit = Answer.ACCEPT
        self.asked: list[Asked] = []
        """Oldest first."""

    def ring(self, asked: Asked) -> None:
        """A request arrives."""
        asked.answer = self.habit
        self.asked.append(asked)

    def answer(self, professional: str, answer: Answer) -> int:
        """The professional answers what waits on the screen; how many requests that were."""
        waiting = [
            one
            for one in self.asked
            if one.professional == professional and one.answer is Answer.IGNORE
        ]
        for one in waiting:
            one.answer = answer
        return len(waiting)

    def answer_one(self, auth_req_id: str, answer: Answer) -> None:
        """That request alone is answered, if it waits on the screen."""
        for one in self.asked:
            if one.auth_req_id == auth_req_id and one.answer is Answer.IGNORE:
                one.answer = answer
