"""`drimbench fault`: what the simulators of a `drimbench serve` do wrong, told, set, removed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import urlsplit

import typer
from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

if TYPE_CHECKING:
    import httpx

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["fault"]

fault = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Pannes des simulateurs de « drimbench serve » (PACS, DMP, liste, Source), une à une.",
)

_TIMEOUT_S = 10.0

At = Annotated[
    str,
    typer.Option(
        "--at", help="URL de la page de « drimbench serve » (par défaut, le port du profil)."
    ),
]
Profile = Annotated[
    Path, typer.Option(help="Profil dont \\[world] page donne le port de la page, sans --at.")
]
Json = Annotated[bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")]
_PROFILE = Path("drimbench.toml")


@fault.command(name="list")
def list_(
    simulator: Annotated[
        str,
        typer.Argument(help="pacs, dmp, pacs-local, ans, psc, igc, source ; tous sans argument."),
    ] = "",
    menu: Annotated[bool, typer.Option("--menu", help="Montrer aussi le menu entier.")] = False,
    at: At = "",
    profile: Profile = _PROFILE,
    as_json_: Json = False,
) -> None:
    """Montre les pannes posées, ce qu'elles ont touché, et avec --menu celles qui peuvent l'être.

    [bold]Exemples[/bold]

    drimbench fault list

    drimbench fault list dmp --menu

    drimbench fault list --at http://127.0.0.1:8090 --json
    """
    simulators = _ask(_page(at, profile), "GET").document["simulators"]
    if simulator and simulator not in simulators:
        refuse(f"simulateur {simulator} inconnu (attendu : {', '.join(simulators)})")
    shown = {name: one for name, one in simulators.items() if simulator in ("", name)}
    if as_json_:
        print_json(shown)
    else:
        _show(shown, Console(), menu=menu)
    raise Finished(ExitCode.CONFORM)


@fault.command(name="set")
def set_(
    simulator: Annotated[str, typer.Argument(help="pacs, dmp, pacs-local, ans, psc, igc, source.")],
    name: Annotated[str, typer.Argument(metavar="PANNE", help="Son nom au menu : refus, retard…")],
    service: Annotated[
        str, typer.Argument(help="Ce qu'elle touche : association, C-FIND, TD2.1, TLS…")
    ],
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="NOM=VALEUR", help="Ses paramètres.")
    ] = None,
    times: Annotated[
        int | None, typer.Option(help="Combien elle en touche (toutes, sans cette option).")
    ] = None,
    skip: Annotated[int, typer.Option(help="Combien elle en laisse passer avant.")] = 0,
    at: At = "",
    profile: Profile = _PROFILE,
    as_json_: Json = False,
) -> None:
    """Pose une panne : elle touche les prochaines associations ou requêtes, ou la k-ième.

    [bold]Exemples[/bold]

    drimbench fault set pacs refus association raison=congestion --times 2

    drimbench fault set pacs partiel C-MOVE manque=3

    drimbench fault set dmp erreur-xds TD2.1 code=XDSRepositoryBusy --times 1

    drimbench fault set dmp coupure TD2.1 moment=apres --skip 2 --times 1

    drimbench fault set pacs lenteur C-MOVE debit=20000

    drimbench fault set source certificat TLS montre=expire

    drimbench fault set ans signataire liste qui=revoque
    """
    given = {}
    for one in parameters or ():
        key, equals, value = one.partition("=")
        if not (key and equals and value):
            refuse(f"paramètre : NOM=VALEUR attendu, « {one} » donné")
        given[key] = value
    asked = {
        "simulator": simulator, "fault": name, "service": service, "times": times, "skip": skip,
        "parameters": given,
    }  # fmt: skip
    done = _command(_page(at, profile), "POST", asked)
    if as_json_:
        print_json(done)
    else:
        console = Console()
        console.print(f"Posée : {simulator}, panne {done['id']}", highlight=False, markup=False)
    raise Finished(ExitCode.CONFORM)


@fault.command(name="clear")
def clear(
    simulator: Annotated[
        str,
        typer.Argument(help="pacs, dmp, pacs-local, ans, psc, igc, source ; tous sans argument."),
    ] = "",
    number: Annotated[
        int | None, typer.Argument(help="Celle-là seule, par son numéro ; toutes sans lui.")
    ] = None,
    at: At = "",
    profile: Profile = _PROFILE,
    as_json_: Json = False,
) -> None:
    """Ôte une panne, celles d'un simulateur, ou toutes. Ce qu'elles retenaient reprend.

    [bold]Exemples[/bold]

    drimbench fault clear

    drimbench fault clear pacs 3
    """
    page = _page(at, profile)
    names = [simulator] if simulator else list(_ask(page, "GET").document["simulators"])
    cleared = sum(
        _command(page, "DELETE", {"simulator": name, "id": number})["cleared"] for name in names
    )
    if number is not None and not cleared:
        refuse(f"{simulator} : aucune panne {number} n'est posée")
    if as_json_:
        print_json({"cleared": cleared})
    else:
        Console().print(f"Ôtées : {cleared}", highlight=False)
    raise Finished(ExitCode.CONFORM)


class _Answered(NamedTuple):
    status: int
    document: Any


def _page(at: str, profile: Path) -> str:
    """The address of the page: as told, else where the profile puts it."""
    if at:
        parts = urlsplit(at)
        if parts.scheme != "http" or not parts.netloc:
            refuse(f"--at : http://adresse:port attendu, « {at} » donné")
        return f"http://{parts.netloc}"
    from bench.profile import read

    try:
        port = read(profile).world.page
    except BenchError as error:
        refuse(f"{error} (ou --at URL)")
    if not port:
        refuse(f"{profile} : [world] page ne donne aucun port ; --at URL attendu")
    return f"http://127.0.0.1:{port}"


def _command(page: str, method: str, asked: dict[str, Any]) -> Any:
    """What a command answers; the page's token goes with it."""
    token = _ask(page, "GET").document["token"]
    status, document = _ask(page, method, {**asked, "token": token})
    if status >= 400:
        refuse(str(document.get("error", f"HTTP {status}")))
    return document


def _ask(page: str, method: str, asked: dict[str, Any] | None = None) -> _Answered:
    import httpx

    try:
        # A proxy of the environment is not for this machine's own page.
        with httpx.Client(trust_env=False, timeout=_TIMEOUT_S) as client:
            answer = client.request(method, f"{page}/pannes.json", json=asked)
    except httpx.HTTPError as error:
        refuse(f"{page} : aucune page de « drimbench serve » n'y répond ({error})")
    return _Answered(answer.status_code, _document(page, answer))


def _document(page: str, answer: httpx.Response) -> Any:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        refuse(f"{page} : HTTP {answer.status_code}, et non la page de « drimbench serve »")
    return document


def _show(simulators: dict[str, Any], console: Console, *, menu: bool) -> None:
    for name, one in simulators.items():
        console.print(f"[bold]{name}[/bold]", highlight=False)
        for placed in one["set"]:
            console.print(
                f"  {placed['id']}  {placed['summary']}, {placed['plan']} ; "
                f"{placed['struck']} sur {placed['seen']} touchées",
                highlight=False,
                markup=False,
            )
        if not one["set"]:
            console.print("  aucune panne posée", style="dim", highlight=False)
        for placed in one["over"]:
            console.print(
                f"  épuisée : {placed['summary']}", style="dim", highlight=False, markup=False
            )
        for kind in one["menu"] if menu else ():
            console.print(f"  [green]{kind['fault']}[/green]  {kind['title']}", highlight=False)
            services = ", ".join(kind["services"])
            console.print(f"    sur {services}", style="dim", highlight=False, markup=False)
            for parameter in kind["parameters"]:
                console.print(
                    f"    {parameter['name']}={parameter['default']}  {parameter['title']} : "
                    f"{parameter['expected']}",
                    highlight=False,
                    markup=False,
                )
