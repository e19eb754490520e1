"""Parts that do all as the one within does: a wrong Consumer says only what it does otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drimbox_ref.consumer.ports import Images
from drimbox_ref.consumer.values import Exam, Received, Series, Use

__all__ = ["Asked", "PassingImages"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What `Images.retrieve` is asked."""

    exam: Exam
    series: Series
    token: str
    use: Use
    into: Path
    limit: int
    accept: Callable[[Received], None]


class PassingImages:
    """`Images`; `fetch` has in one value what was asked, to be altered or refused."""

    def __init__(self, inner: Images) -> None:
        self._inner = inner

    async def retrieve(
        self,
        exam: Exam,
        series: Series,
        token: str,
        *,
        use: Use,
        into: Path,
        limit: int,
        accept: Callable[[Received], None],
    ) -> None:
        """As `fetch` does."""
        await self.fetch(Asked(exam, series, token, use, into, limit, accept))

    async def fetch(self, asked: Asked) -> None:
        """As it should."""
        await self._inner.retrieve(
            asked.exam,
            asked.series,
            asked.token,
            use=asked.use,
            into=asked.into,
            limit=asked.limit,
            accept=asked.accept,
        )
