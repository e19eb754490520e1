"""How fast a PACS gives images: time to the first one, and throughput (DB.SO.102).

Réf.: DRIM-M_DATA "Mesure de performances DRIMBox_PACS" (C-MOVE to oneself, time of the first image,
bytes, whole time, throughput, a warning when the PACS transcodes), grade: sample.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from spec.dicom import EXPLICIT_VR_BIG_ENDIAN, STORAGE_SOP_CLASSES, TRANSFER_SYNTAX_NAMES
from wire.dimse import (
    DimseClient,
    DimseFailure,
    DimsePeer,
    Handlers,
    StoreRequest,
    serve_dimse,
)
from wire.exchange import ignore

__all__ = ["Retrieval", "Speed", "SpeedError", "measure"]

_SUCCESS = 0x0000
_ACTOR = "mesure"


class SpeedError(Exception):
    """Nothing could be measured; its text says why, in French."""


@dataclass(slots=True)
class Retrieval:
    """One C-MOVE: seconds from its request to its first image and to its end."""

    first_s: float
    whole_s: float
    size: int
    """Bytes of the data sets, as they came."""
    syntaxes: Counter[str] = field(default_factory=Counter)
    """Transfer syntax -> instances."""

    @property
    def count(self) -> int:
        """Instances received."""
        return self.syntaxes.total()

    @property
    def megabits_s(self) -> float:
        """Megabits (10^6) a second, over the whole retrieval."""
        return self.size * 8 / 1e6 / self.whole_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Retrievals of the same images, one after the other."""

    retrievals: tuple[Retrieval, ...]
    stored: frozenset[str]
    """Syntaxes that the PACS says it has the images in (0008,3002); empty when it does not say."""

    @property
    def first_s(self) -> float:
        """Median seconds to the first image."""
        return statistics.median(one.first_s for one in self.retrievals)

    @property
    def megabits_s(self) -> float:
        """Median throughput."""
        return statistics.median(one.megabits_s for one in self.retrievals)

    @property
    def transcoded(self) -> frozenset[str]:
        """The syntaxes received that the PACS does not say it has: it made them for us."""
        came = frozenset(uid for one in self.retrievals for uid in one.syntaxes)
        return came - self.stored if self.stored else frozenset()


class _Arrivals:
    """What comes by C-STORE during one retrieval."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.restart()

    def restart(self) -> None:
        with self._lock:
            self.begun = time.perf_counter()
            self.first: float | None = None
            self.last = self.begun
            self.size = 0
            self.syntaxes: Counter[str] = Counter()

    def store(self, request: StoreRequest) -> int:
        now = time.perf_counter()
        with self._lock:
            if self.first is None:
                self.first = now
            self.last = now
            self.size += len(request.dataset)
            self.syntaxes[request.transfer_syntax] += 1
        return _SUCCESS

    def retrieval(self) -> Retrieval:
        with self._lock:
            if self.first is None:
                raise SpeedError("le PACS dit avoir fini, et aucune image n'est arrivée")
            return Retrieval(
                first_s=self.first - self.begun,
                whole_s=self.last - self.begun,
                size=self.size,
                syntaxes=Counter(self.syntaxes),
            )


def measure(
    pacs: DimsePeer,
    *,
    ae_title: str,
    host: str,
    port: int,
    study: str,
    series: str = "",
    times: int = 3,
    syntaxes: Sequence[str] = (),
    timeout_s: float = 60.0,
    told: Callable[[int], object] = lambda _: None,
) -> Speed:
    """Retrieve a study, or one of its series, several times by C-MOVE to ourselves.

    `ae_title`, `host` and `port` are what the PACS knows us by; `syntaxes` are those that we
    accept, all by default. What comes is thrown away. `told` hears how many retrievals are done.

    Raises:
        SpeedError: the address cannot be listened at, or the PACS gave nothing.
    """
    arrivals = _Arrivals()
    accepted = list(syntaxes) or [
        uid for uid in TRANSFER_SYNTAX_NAMES if uid != EXPLICIT_VR_BIG_ENDIAN
    ]
    try:
        server = serve_dimse(
            Handlers(store=arrivals.store),
            ae_title=ae_title,
            actor=_ACTOR,
            observe=ignore,
            host=host,
            port=port,
            storage=dict.fromkeys(STORAGE_SOP_CLASSES, accepted),
            check_called_ae=True,
            timeout=timeout_s,
        )
    except OSError as error:
        raise SpeedError(
            f"écoute impossible en {host}:{port} ({error.strerror}) : la DRIMbox qui y est doit "
            "être arrêtée, la mesure se fait hors production"
        ) from None
    client = DimseClient(ae_title, actor=_ACTOR, observe=ignore, timeout=timeout_s)
    retrievals = []
    try:
        stored = _stored(client, pacs, study, series)
        for number in range(1, times + 1):
            arrivals.restart()
            result = client.move(pacs, _identifier(study, series), destination=ae_title)
            if result.failed:
                raise SpeedError(f"le PACS n'a pas envoyé {result.failed} image(s)")
            retrievals.append(arrivals.retrieval())
            told(number)
    except DimseFailure as failure:
        raise SpeedError(f"PACS {pacs.ae_title} en {pacs.host}:{pacs.port} : {failure}") from None
    finally:
        server.stop()
    return Speed(retrievals=tuple(retrievals), stored=stored)


def _identifier(study: str, series: str) -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "SERIES" if series else "STUDY"
    identifier.StudyInstanceUID = study
    if series:
        identifier.SeriesInstanceUID = series
    return identifier


def _stored(client: DimseClient, pacs: DimsePeer, study: str, series: str) -> frozenset[str]:
    """AvailableTransferSyntaxUID of the images; also tells an absent study from a slow one.

    Raises:
        SpeedError: the PACS does not have it.
    """
    identifier = _identifier(study, series)
    identifier.QueryRetrieveLevel = "IMAGE"
    identifier.SOPInstanceUID = ""
    identifier.AvailableTransferSyntaxUID = ""
    matches = client.find(pacs, identifier)
    if not matches:
        raise SpeedError(f"le PACS n'a pas {_told(study, series)}")
    found = set()
    for match in matches:
        value = match.get("AvailableTransferSyntaxUID") or ()
        found |= {value} if isinstance(value, str) else {str(one) for one in value}
    return frozenset(found)


def _told(study: str, series: str) -> str:
    return f"la série {series}" if series else f"l'examen {study}"
