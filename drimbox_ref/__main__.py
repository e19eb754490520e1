"""`python -m drimbox_ref source --config F.toml --ready F.json`."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from drimbox_ref.config import ConfigError

USAGE = 64


def main(arguments: list[str] | None = None) -> int:
    """Run a DRIMbox; the exit code (64: usage or configuration)."""
    parser = argparse.ArgumentParser(prog="drimbox_ref", description="DRIMbox de référence")
    parser.add_argument("role", choices=("source", "consumer"))
    parser.add_argument("--config", type=Path, required=True, help="configuration TOML")
    parser.add_argument("--ready", type=Path, required=True, help="fichier d'adresses à écrire")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as end:
        return 0 if end.code == 0 else USAGE
    # Only the side that runs is imported: each has its own dependencies and start-up time.
    side = import_module(f"drimbox_ref.{options.role}")
    try:
        code: int = side.main(options.config.absolute(), options.ready.absolute())
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    return code


if __name__ == "__main__":
    sys.exit(main())
