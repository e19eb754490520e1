"""`drimbench client`: ask a Source for images, or whether it lives, and judge the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

if TYPE_CHECKING:
    from bench.asking import Answer

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["client"]

client = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Clients d'une DRIMbox Source : images (WADO-RS), signe de vie (healthcheck).",
)

Trust = Annotated[
    Path | None,
    typer.Option(help="Autorités du serveur, en PEM (par défaut, celles du marché, par certifi)."),
]
Certificate = Annotated[
    Path | None, typer.Option(help="Certificat client et sa chaîne, en PEM (ORG AUTH_CLI).")
]
Key = Annotated[Path | None, typer.Option(help="Clé privée de ce certificat, en PEM.")]
ConnectTo = Annotated[
    list[str] | None,
    typer.Option("--connect-to", help="hôte[:port]=adresse:port : joindre ce nom à cette adresse."),
]
Timeout = Annotated[float, typer.Option(min=0.1, help="Secondes de silence tolérées.")]
Json = Annotated[bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")]


@client.command(name="wado-rs")
def wado_rs(
    target: Annotated[
        str, typer.Argument(help="URL d'un examen, d'une série ou d'une image ; ou KOS.")
    ],
    token: Annotated[
        str | None,
        typer.Option(help="Jeton Pro Santé Connect : env:NOM ou fichier (jamais le jeton même)."),
    ] = None,
    kos_file: Annotated[
        Path | None,
        typer.Option(
            "--kos", help="KOS de l'URL : en-tête KOS-SOPInstanceUID, instances attendues."
        ),
    ] = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--host", help="Hôte permis d'un KOS (par défaut *.mesimagesmedicales.fr) ; répétable."
        ),
    ] = None,
    purpose: Annotated[
        Literal["export", "viewing"],
        typer.Option(help="Ce que l'on demande d'abord : sans perte, ou le plus léger."),
    ] = "export",
    accept: Annotated[
        list[str] | None, typer.Option(help="Lignes Accept à envoyer, à la place du profil q.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Dossier où écrire les images et les échanges.")
    ] = None,
    trust: Trust = None,
    certificate: Certificate = None,
    key: Key = None,
    connect_to: ConnectTo = None,
    timeout: Timeout = 30.0,
    as_json_: Json = False,
) -> None:
    """Demande des images comme le ferait une DRIMbox Consommatrice, et juge les deux côtés.

    Un KOS est demandé série par série. Les redirections ne sont pas suivies, et un jeton ne part
    qu'en https, vers un hôte que vous avez nommé.

    [bold]Exemples[/bold]

    drimbench client wado-rs kos.dcm --token env:JETON --certificate box.pem --key box.key

    drimbench client wado-rs https://db1.mesimagesmedicales.fr/rs/studies/1.2/series/1.2.3
    --kos kos.dcm --token jeton.txt --output images/

    Codes de sortie : 0 conforme, 1 refus, silence ou réponse fautive, 64 usage.
    """
    from drimbench.clients import Means, Order, ask_images

    def ask() -> Sequence[Answer]:
        means = Means.of(trust, certificate, key, connect_to or (), timeout)
        order = Order.of(target, kos_file, token, hosts or ())
        console = Console(stderr=True, quiet=as_json_)
        return ask_images(order, means, purpose, accept or (), output, console)

    _answer(ask, as_json_)


@client.command()
def healthcheck(
    url: Annotated[str, typer.Argument(help="Adresse de la sonde, ou racine du service DICOMweb.")],
    method: Annotated[
        Literal["get", "options", "both"],
        typer.Option(help="GET (client de l'ANS), OPTIONS (PS3.18 8.9), ou les deux."),
    ] = "both",
    trust: Trust = None,
    certificate: Certificate = None,
    key: Key = None,
    connect_to: ConnectTo = None,
    timeout: Timeout = 30.0,
    as_json_: Json = False,
) -> None:
    """Demande à une Source si elle vit, comme la météo des services, et juge sa réponse.

    Aucun texte public ne fixe la méthode : celle qui n'est pas servie (404, 405, 501) ne compte
    pas, pourvu que l'autre le soit.

    [bold]Exemples[/bold]

    drimbench client healthcheck https://db1.mesimagesmedicales.fr/rs

    drimbench client healthcheck https://localhost:8443/rs --trust ca.pem --method options --json

    Codes de sortie : 0 vivante, 1 refus, silence ou réponse fautive, 64 usage.
    """
    from bench.asking import Probe
    from drimbench.clients import Means, ask_life

    def ask() -> Sequence[Answer]:
        means = Means.of(trust, certificate, key, connect_to or (), timeout)
        return ask_life(url, tuple(Probe) if method == "both" else (Probe(method),), means)

    _answer(ask, as_json_)


def _answer(ask: Callable[[], Sequence[Answer]], as_json: bool) -> None:
    from drimbench.answers import conform, document, show

    try:
        answers = ask()
    except BenchError as error:
        refuse(str(error))
    if as_json:
        print_json(document(answers))
    else:
        show(answers, Console())
    raise Finished(ExitCode.CONFORM if conform(answers) else ExitCode.FAIL)
