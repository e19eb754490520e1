"""Our C-STORE receiver as a process: each instance becomes a file, as `storescp` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from load.benchmarks.child import serve
from protocols.dicom import file_meta
from spec.dicom import STORAGE_SOP_CLASSES, UNCOMPRESSED_LITTLE_ENDIAN
from wire.dimse import Handlers, StoreRequest, serve_dimse
from wire.exchange import ignore

_SUCCESS, _OUT_OF_RESOURCES = 0x0000, 0xA700


def _kept_in(folder: Path) -> Handlers:
    def store(request: StoreRequest) -> int:
        meta = file_meta(
            sop_class=request.sop_class,
            sop_instance=request.sop_instance,
            transfer_syntax=request.transfer_syntax,
        )
        try:
            with (folder / request.sop_instance).open("wb", buffering=0) as file:
                file.write(meta)
                view = memoryview(request.dataset)
                while view:
                    view = view[file.write(view) :]
        except OSError:
            return _OUT_OF_RESOURCES
        return _SUCCESS

    return Handlers(store=store)


@contextmanager
def _opened(config: dict[str, Any]) -> Iterator[dict[str, str]]:
    server = serve_dimse(
        _kept_in(Path(config["folder"])),
        ae_title="RECEIVER",
        actor="receiver",
        observe=ignore,
        storage=dict.fromkeys(STORAGE_SOP_CLASSES, UNCOMPRESSED_LITTLE_ENDIAN),
    )
    try:
        yield {"dicom": f"{server.host}:{server.port}"}
    finally:
        server.stop()


if __name__ == "__main__":
    serve(_opened)
