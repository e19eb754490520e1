"""`python -m mutants NAME --config F.toml --ready F.json`: run one wrong box."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from drimbox_ref.config import ConfigError
from mutants.registry import UnknownMutant, find

USAGE = 64


def main(arguments: list[str] | None = None) -> int:
    """Run a wrong box until it is told to stop; the exit code (64: usage or configuration)."""
    parser = argparse.ArgumentParser(prog="mutants", description="DRIMbox fausse")
    parser.add_argument("name", help="nom de la boîte fausse")
    parser.add_argument("--config", type=Path, required=True, help="configuration TOML")
    parser.add_argument("--ready", type=Path, required=True, help="fichier d'adresses à écrire")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as end:
        return 0 if end.code == 0 else USAGE
    try:
        wrong = find(options.name)
        side = import_module(f"drimbox_ref.{wrong.role}")
        config = import_module(f"drimbox_ref.{wrong.role}.config").load(options.config.absolute())
        code: int = side.run(config, options.ready.absolute(), wrong.transform)
    except (UnknownMutant, ConfigError) as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    return code


if __name__ == "__main__":
    sys.exit(main())
