"""`python -m mutants NAME --config F.toml --ready F.json`: run one wrong box.

`python -m mutants --right ROLE --config F.toml --ready F.json`: run the right one of that role,
which tells the journal of its `usage` when a wrong one would have answered otherwise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from drimbox_ref.config import ConfigError
from mutants.registry import Role, UnknownMutant, catalogue, find
from mutants.shadows import told
from wire.shard import Shard

USAGE = 64


def main(arguments: list[str] | None = None) -> int:
    """Run a box until it is told to stop; the exit code (64: usage or configuration)."""
    parser = argparse.ArgumentParser(prog="mutants", description="DRIMbox fausse")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", help="nom de la boîte fausse")
    which.add_argument(
        "--right", choices=("source", "consumer"), help="la boîte juste, les fausses à l'affût"
    )
    parser.add_argument("--config", type=Path, required=True, help="configuration TOML")
    parser.add_argument("--ready", type=Path, required=True, help="fichier d'adresses à écrire")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as end:
        return 0 if end.code == 0 else USAGE
    try:
        wrong = find(options.name) if options.name else None
        role = wrong.role if wrong else options.right
        side = import_module(f"drimbox_ref.{role}")
        config = import_module(f"drimbox_ref.{role}.config").load(options.config.absolute())
        transform = wrong.transform if wrong else _watched(role, config.box.usage, options.config)
        code: int = side.run(config, options.ready.absolute(), transform)
    except (UnknownMutant, ConfigError) as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    return code


def _watched(role: Role, run: Path | None, config: Path) -> Callable[[Any], Any]:
    if run is None:
        raise ConfigError(config, "box.usage", "le dossier d'une campagne, avec --right", "rien")
    mutants = [one for one in catalogue() if one.role == role]
    return lambda right: told(right, role, mutants, Shard(run, f"shadows-{role}"))


if __name__ == "__main__":
    sys.exit(main())
