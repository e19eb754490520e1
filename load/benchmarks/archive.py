"""Our PACS as a process of its own, of which nothing is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from load.benchmarks.child import serve
from simulators.pacs import PacsConfig, build
from wire.exchange import ignore


@contextmanager
def _opened(config: dict[str, Any]) -> Iterator[dict[str, str]]:
    with build(PacsConfig(**config), ignore) as pacs:
        yield {"dicom": f"{pacs.host}:{pacs.port}"}


if __name__ == "__main__":
    serve(_opened)
