"""Looking at images, as the steps speak of it: the radiologist opens a viewer, Sources are asked.

What the images look like is for a person. The wires tell the rest: which series was asked for, in
which transfer syntaxes, by whom.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.browser import Onlooker
from bench.cases import PURPOSE
from bench.consulting import Consulting
from bench.outcomes import CannotVerify, Refused
from protocols.dicomweb import parse_accept, parse_path
from protocols.errors import RemoteProtocolError
from simulators.user import UserError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from wire.exchange import Exchange
from wire.http_client import HttpFailure

__all__ = ["Viewing", "lossy_fault"]

_LOSSY = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
_LOSSLESS = frozenset(
    {"1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", EXPLICIT_VR_LITTLE_ENDIAN}
)
"""Of the ten listed syntaxes, those that always lose and those that never do."""


@dataclass(slots=True)
class Viewing:
    """The radiologist in front of a viewer."""

    consulting: Consulting
    wanted: str = ""
    """UID of the series that was asked for, "" when an exam was."""

    def look(self, number: int = 0) -> None:
        """Open the viewer on the exam, or on its series of that number (1 first)."""
        consulting = self.consulting
        story = consulting.story
        self.wanted = story.exams[0].series[number - 1].uid if number else ""
        if not isinstance(consulting.user, Onlooker):
            raise CannotVerify("le pilote de cette page n'ouvre pas la visionneuse")
        story.case.facts[PURPOSE] = "viewing"
        story.stage.publish_case()
        try:
            consulting.page = story.bed.call(consulting.user.look, self.wanted)
        except (HttpFailure, UserError) as error:
            raise Refused(f"la visionneuse ne s'ouvre pas : {error}") from error

    def expect_series_asked(self) -> None:
        """A series of the exam, the wanted one if one was, was asked for at series level."""
        stage, exam = self.consulting.story.stage, self.consulting.story.exams[0]
        offered = {self.wanted} if self.wanted else {series.uid for series in exam.series}
        found = stage.await_exchanges("WADO-RS", "une série est demandée par WADO-RS")
        asked = [_series_of(seen.exchange) for seen in found]
        stage.expect(
            "la visionneuse fait demander la série voulue, au niveau série",
            not offered.isdisjoint(asked),
            expected=f"…/series/{' ou '.join(sorted(offered))}",
            actual=", ".join(uid or "une demande d'un autre niveau" for uid in asked),
            exchanges=[seen.id for seen in found],
        )

    def expect_lossy_first(self) -> None:
        """Every lossy syntax has a higher q than those that keep every value (DB.VI-CO.15)."""
        stage = self.consulting.story.stage
        found = stage.await_exchanges("WADO-RS", "une série est demandée par WADO-RS")
        faults = [fault for seen in found if (fault := lossy_fault(seen.exchange))]
        stage.expect(
            "pour voir, les syntaxes avec perte sont préférées",
            not faults,
            expected="q de JPEG (…4.50, …4.51) > q de JPEG sans perte, JPEG-LS et sans compression",
            actual=" ; ".join(faults) or "conforme",
            exchanges=[seen.id for seen in found],
        )


def _series_of(exchange: Exchange) -> str:
    """The series that a request names whole, "" otherwise."""
    request = exchange.request
    try:
        resource = parse_path(request.start_line.split(" ")[1]) if request else None
    except (RemoteProtocolError, IndexError):
        return ""
    return resource.series or "" if resource is not None and resource.level == "series" else ""


def lossy_fault(exchange: Exchange) -> str:
    """What is wrong in the preferences of a request for images to be seen, "" when nothing is."""
    request = exchange.request
    assert request is not None
    lines = [value for name, value in request.head if name.lower() == "accept"]
    try:
        preferred = {one.transfer_syntax: one.q for one in parse_accept(lines)}
    except RemoteProtocolError as error:
        return f"Accept illisible ({error})"
    least = min(preferred.get(uid, 0.0) for uid in _LOSSY)
    most = max(preferred.get(uid, 0.0) for uid in _LOSSLESS)
    return "" if least > most else f"q {least:g} avec perte, {most:g} sans perte"
