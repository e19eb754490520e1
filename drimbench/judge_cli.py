"""`drimbench validate`, `cross` and `explain`: files judged on their own, and the rules that do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.errors import BenchError
from drimbench.ending import Finished, refuse
from drimbench.formats import Format
from drimbench.given_options import At, Floor, Jwks, ProfileFile, Strict, Trust

if TYPE_CHECKING:
    from validators.supplied import Schema

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["cross", "explain", "validate"]

OutputFormat = Annotated[Format, typer.Option("--format", help="Forme du résultat.")]
Json = Annotated[bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")]


def validate(
    files: Annotated[
        list[str], typer.Argument(help="[SORTE] FICHIER… ; « - » lit l'entrée standard.")
    ],
    profile: ProfileFile = None,
    at: At = None,
    jwks: Jwks = None,
    trust: Trust = None,
    xsd: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FICHIER", help="XSD qui juge aussi les fichiers XML (CDA, XDS…) ; répétable."
        ),
    ] = None,
    schematron: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FICHIER",
            help="Schématron (ISO) qui juge aussi les fichiers XML ; répétable. Demande l'extra "
            "« schematron ».",
        ),
    ] = None,
    schemas: Annotated[
        Path | None,
        typer.Option(
            metavar="DOSSIER",
            help="Seul dossier que ces schémas peuvent lire (celui de chacun par défaut).",
        ),
    ] = None,
    phase: Annotated[
        str, typer.Option(metavar="NOM", help="Phase des schématrons (la leur par défaut).")
    ] = "",
    strict: Strict = False,
    floor: Floor = None,
    format_: OutputFormat = Format.HUMAN,
    as_json_: Json = False,
) -> None:
    """Juge des fichiers : compte rendu HL7, acquittement, KOS, ITI-41, WADO-RS, liste blanche.

    [bold]Exemples[/bold]

    drimbench validate kos.dcm publication.xml

    drimbench validate kos dossier/ --json

    cat message.hl7 | drimbench validate oru -

    drimbench validate dossier/ --format sarif > drimbench.sarif

    drimbench validate jeton.txt --at 2026-11-22T10:15:00Z --jwks jwks.json

    drimbench validate lien.txt kos.dcm --profil ma-boite.toml --trust igc.pem

    drimbench validate CR.xml --xsd CDA.xsd --schematron CI-SIS.sch --schemas TestContenuCDA/
    """
    from drimbench import formats
    from drimbench.given import context_of
    from drimbench.judging import exit_code_of, judge_files, show

    try:
        context = context_of(
            at=at, jwks=jwks, trust=trust or (), profile=profile, strict=strict, floor=floor
        )
        supplied: list[Schema] = []
        if xsd or schematron:
            from drimbench.schema_files import load_schemas

            supplied = load_schemas(xsd or (), schematron or (), folder=schemas, phase=phase)
        elif schemas or phase:
            raise BenchError("--schemas et --phase accompagnent --xsd ou --schematron")
        judged = judge_files(files, context=context, schemas=supplied)
    except BenchError as error:
        refuse(str(error))
    formats.write(
        judged,
        Format.JSON if as_json_ else format_,
        human=lambda: show(judged, Console()),
        document=lambda: [one.as_json() for one in judged],
    )
    raise Finished(exit_code_of(judged))


def cross(
    files: Annotated[
        list[str],
        typer.Argument(help="FICHIER… d'un même examen, dossier, archive ZIP ; « - » : entrée."),
    ],
    every: Annotated[
        bool, typer.Option("--pairs", help="Une ligne par paire plutôt que par sujet.")
    ] = False,
    profile: ProfileFile = None,
    at: At = None,
    jwks: Jwks = None,
    trust: Trust = None,
    strict: Strict = False,
    floor: Floor = None,
    format_: OutputFormat = Format.HUMAN,
    as_json_: Json = False,
) -> None:
    """Compare les artefacts d'un même examen : HL7v2, CDA, KOS, images, ITI-41, WADO-RS.

    [bold]Exemples[/bold]

    drimbench cross message.hl7 kos.dcm publication.xml images/

    drimbench cross examen.zip --pairs

    drimbench cross dossier/ --json

    drimbench cross dossier/ --profil ma-boite.toml --trust igc.pem --at 2026-11-22T10:15:00Z
    """
    from drimbench import crossing, formats
    from drimbench.given import context_of
    from drimbench.judging import exit_code_of

    try:
        context = context_of(
            at=at, jwks=jwks, trust=trust or (), profile=profile, strict=strict, floor=floor
        )
        judged, report = crossing.cross_files(files, context=context)
    except BenchError as error:
        refuse(str(error))
    formats.write(
        [judged],
        Format.JSON if as_json_ else format_,
        human=lambda: crossing.show(judged, report, Console(), every=every),
        document=lambda: crossing.as_json(judged, report),
    )
    raise Finished(exit_code_of([judged]))


def explain(
    id: Annotated[str, typer.Argument(help="Identifiant d'une règle ou d'une exigence.")],
) -> None:
    """Explique une règle ou une exigence : texte, source, confiance, exemples.

    [bold]Exemples[/bold]

    drimbench explain KOS-010

    drimbench explain DB.SO.12
    """
    from drimbench import judging

    try:
        judging.explain(id, Console())
    except BenchError as error:
        refuse(str(error))
