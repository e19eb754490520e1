"""The options of `validate` and `cross` that say in which context to judge (see `given`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spec.grade import Grade

__all__ = ["At", "Floor", "Jwks", "ProfileFile", "Strict", "Trust"]

At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="INSTANT",
        help="Juger les validités à cet instant (ISO 8601 avec fuseau) : certificats, CRL, "
        "jetons, liste blanche, VIHF. Sans lui, rien n'est dit expiré.",
    ),
]
Jwks = Annotated[
    Path | None,
    typer.Option(
        "--jwks",
        metavar="FICHIER",
        help="Clés publiques de Pro Santé Connect (JWK Set) : les signatures des jetons sont "
        "vérifiées.",
    ),
]
Trust = Annotated[
    list[Path] | None,
    typer.Option(
        "--trust",
        metavar="FICHIER",
        help="Autorités de confiance (PEM, répétable) : certificats, CRL, signatures de la liste "
        "blanche, du lot et du VIHF.",
    ),
]
ProfileFile = Annotated[
    Path | None,
    typer.Option(
        "--profil",
        "--profile",
        metavar="FICHIER",
        help="Profil TOML du produit : ce qu'il nomme (hôtes, schémas, niveau de PDF/A, points "
        "ouverts) est exigé.",
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Ce que le terrain tolère devient une erreur.")
]
Floor = Annotated[
    Grade | None,
    typer.Option(
        help="Sous ce niveau de confiance, une erreur n'est qu'un avertissement "
        "(celui du profil, ou draft).",
    ),
]
