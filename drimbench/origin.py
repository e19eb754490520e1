"""All rooms must come from one place: PyPI has a `validators` that would shadow ours."""

from __future__ import annotations

import importlib
from pathlib import Path

from bench.errors import BenchError

__all__ = ["ROOMS", "check_rooms"]

ROOMS = (
    "spec", "protocols", "wire", "validators", "simulators", "drimbox_ref",
    "bench", "features", "load", "reports", "mutants", "drimbench",
)  # fmt: skip


def check_rooms() -> None:
    """Check that every room has the same parent directory.

    Raises:
        BenchError: another package of the same name comes first; says which and where.
    """
    home = Path(__file__).resolve().parent.parent
    for room in ROOMS:
        module = importlib.import_module(room)
        where = Path(module.__file__ or "").resolve().parent.parent
        if where != home:
            raise BenchError(
                f"le paquet « {room} » vient de {where} et non de {home} : un autre paquet du même"
                " nom masque celui de drimbench ; désinstallez-le (pip uninstall) ou employez un"
                " environnement à part"
            )
