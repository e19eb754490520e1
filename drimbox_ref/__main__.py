"""`python -m drimbox_ref source --config F.toml --ready F.json`: run a box.

`python -m drimbox_ref source export --config F.toml --to DIR`: a command of its administrator.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from drimbox_ref.config import ConfigError

USAGE = 64
_ROLES = ("source", "consumer")


def main(arguments: list[str] | None = None) -> int:
    """Run a DRIMbox, or a command of its administrator; the exit code (64: usage or
    configuration)."""
    words = sys.argv[1:] if arguments is None else arguments
    if len(words) > 1 and words[0] in _ROLES and not words[1].startswith("-"):
        return _command(words[0], words[1:])
    parser = argparse.ArgumentParser(
        prog="drimbox_ref",
        description="DRIMbox de référence",
        epilog="Commandes de l'administrateur : drimbox_ref source COMMANDE --help (export, "
        "import, backup, restore, resync, readdress, alerts, audit, stats), drimbox_ref consumer "
        "COMMANDE --help (alerts, audit, stats).",
    )
    parser.add_argument("role", choices=_ROLES)
    parser.add_argument("--config", type=Path, required=True, help="configuration TOML")
    parser.add_argument("--ready", type=Path, required=True, help="fichier d'adresses à écrire")
    try:
        options = parser.parse_args(words)
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


def _command(role: str, words: list[str]) -> int:
    from typer.main import get_command

    app = import_module(f"drimbox_ref.{role}.commands").app
    try:
        get_command(app).main(words, prog_name=f"drimbox_ref {role}", standalone_mode=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
        # 2 is what the parser of options says of its own.
        return USAGE if code == 2 else code
    return 0


if __name__ == "__main__":
    sys.exit(main())
