"""A process of ours in a benchmark: started as a box is, it ends when its standard input closes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

__all__ = ["serve"]


def serve(opened: Callable[[dict[str, Any]], AbstractContextManager[Mapping[str, str]]]) -> None:
    """Open what the configuration says, write its addresses, and close it in the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--ready", type=Path, required=True)
    arguments = parser.parse_args()
    with opened(json.loads(arguments.config.read_text(encoding="utf-8"))) as addresses:
        scratch = arguments.ready.with_suffix(".tmp")
        scratch.write_text(json.dumps({"pid": os.getpid(), **addresses}))
        scratch.replace(arguments.ready)
        while os.read(sys.stdin.fileno(), 4096):
            continue
