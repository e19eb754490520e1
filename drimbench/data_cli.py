"""`drimbench data`: one named exam per situation, written, put in a PACS, or played from a set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.clients_cli import Certificate, Key, Trust
from drimbench.ending import Finished, print_json, refuse

if TYPE_CHECKING:
    from bench.dataset.prepared import Prepared
    from bench.dataset.sending import Delivery
    from bench.dataset.situations import Situation
    from drimbench.data_push import Withdrawn
    from wire.exchange import Observe

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["data"]

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Jeux de données : un examen nommé par situation, et ce qu'il doit causer.",
)

Json = Annotated[bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")]
Names = Annotated[
    list[str], typer.Argument(metavar="NOM…", help="Situations (drimbench data list).")
]
ProfileFile = Annotated[
    Path | None,
    typer.Option("--profile", help="Profil TOML du produit (référence embarquée par défaut)."),
]
Seed = Annotated[int, typer.Option(min=0, help="Graine : la même donne les mêmes octets.")]
Day = Annotated[
    datetime,
    typer.Option("--on", formats=["%Y-%m-%d"], help="Jour des examens et des comptes rendus."),
]

Journal = Annotated[
    Path | None,
    typer.Option(help="Où garder les échanges (envois/<date>-… par défaut)."),
]

_DAY = "2026-11-20"


@data.command(name="list")
def list_(as_json_: Json = False) -> None:
    """Liste les situations : ce que chacune montre, ce qu'elle doit causer.

    [bold]Exemple[/bold]

    drimbench data list --json
    """
    from bench.dataset.notice import described
    from bench.dataset.situations import SITUATIONS

    rows = [described(situation) for situation in SITUATIONS.values()]
    if as_json_:
        print_json(rows)
        raise Finished(ExitCode.CONFORM)
    console = Console()
    for situation in SITUATIONS.values():
        console.print(
            f"[bold]{situation.name}[/bold]  {escape(situation.title)} "
            f"[dim]({situation.images} images)[/dim]",
            highlight=False,
        )
        console.print(f"    {situation.shows}", highlight=False, markup=False)
        for number, step in enumerate(situation.steps, 1):
            seen = ", ".join(dict.fromkeys(effect.transaction for effect in step.effects))
            console.print(
                f"    {number}. {step.act} : {seen}", style="dim", highlight=False, markup=False
            )
    console.print(f"{len(rows)} situations")


@data.command()
def write(
    names: Names,
    output: Annotated[Path, typer.Option(help="Où écrire : un dossier par situation.")] = Path(
        "donnees"
    ),
    profile: ProfileFile = None,
    seed: Seed = 1,
    day: Day = datetime.fromisoformat(_DAY),  # noqa: B008
    as_json_: Json = False,
) -> None:
    """Écrit des situations : messages HL7v2, CDA, images, notes IOCM, KOS attendus, archive XDM.

    Le LISEZMOI.md de chacune dit ce que chaque étape doit causer. Tout dépend de la graine, du
    jour et du profil, de rien d'autre.

    [bold]Exemples[/bold]

    drimbench data write nominal

    drimbench data write depublication iocm-total --output jeu/ --seed 7 --profile ma-boite.toml
    """
    from bench.dataset.situations import named
    from bench.dataset.writing import write as write_files
    from wire.progress import Progress

    console = Console(stderr=True, quiet=as_json_)
    written = []
    try:
        for prepared, host in _prepared(named(tuple(names)), profile, seed, day.date()):
            name = prepared.situation.name
            with Progress(f"{name}, images", console=console) as progress:
                files = write_files(prepared, output / name, host=host, progress=progress.to)
            written.append({"name": name, "folder": str(output / name), "files": len(files)})
            console.print(
                f"{name} : {len(files)} fichiers dans {output / name}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
    except BenchError as error:
        refuse(str(error))
    if as_json_:
        print_json({"seed": seed, "on": f"{day:%Y-%m-%d}", "situations": written})
    raise Finished(ExitCode.CONFORM)


@data.command()
def push(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NOM…]", help="Situations (drimbench data list)."),
    ] = None,
    to: Annotated[str, typer.Option(metavar="AET@HÔTE:PORT", help="PACS, par C-STORE.")] = "",
    stow: Annotated[
        str, typer.Option(metavar="URL", help="PACS, par STOW-RS : racine du service DICOMweb.")
    ] = "",
    cleanup: Annotated[
        str,
        typer.Option(metavar="CAMPAGNE", help="Retirer ce que cette campagne a publié (@1…)."),
    ] = "",
    by: Annotated[
        Literal["source", "dmp"],
        typer.Option(help="Qui retire : la Source, sur message du RIS, ou le banc au DMP même."),
    ] = "source",
    dmp: Annotated[
        str, typer.Option(metavar="URL", help="Racine des services du DMP (…/v2/services).")
    ] = "",
    certificates: Annotated[
        Path | None,
        typer.Option(
            metavar="DOSSIER",
            help="auth-<structure> et sign-<structure> (.pem, .key) ; [world] pki par défaut.",
        ),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Où sont les campagnes.")] = Path("runs"),
    profile: ProfileFile = None,
    seed: Seed = 1,
    day: Day = datetime.fromisoformat(_DAY),  # noqa: B008
    trust: Trust = None,
    certificate: Certificate = None,
    key: Key = None,
    journal: Journal = None,
    as_json_: Json = False,
) -> None:
    """Met les images de situations dans un PACS, ou retire ce qu'une campagne a publié.

    Les images sont celles de data write, à même graine, même jour et même profil.

    --cleanup demande à la Source du profil de supprimer les comptes rendus (ORC-1 = CA) : elle
    dépublie, et son archive le sait. --by dmp dépublie au DMP même (TD3.3c), pour une Source qui
    n'est plus là : seule la structure qui a publié le peut. Les images restent dans le PACS : DICOM
    ne les retire pas.

    [bold]Exemples[/bold]

    drimbench data push nominal trois-examens --to PACS@10.0.0.5:11112

    drimbench data push performance --stow https://pacs.site/dicom-web --trust ca.pem

    drimbench data push --cleanup @1 --profile ma-boite.toml

    drimbench data push --cleanup @1 --profile ma-boite.toml --by dmp

    Codes de sortie : 0 tout est fait, 1 une image ou un retrait manque, 64 usage.
    """
    from bench.dataset.sending import journal as keep
    from bench.dataset.situations import named
    from drimbench import data_push as pushing
    from drimbench.clients import Means

    console = Console(stderr=True, quiet=as_json_, soft_wrap=True)
    asked = tuple(names or ())
    document: dict[str, Any] = {}
    try:
        if bool(asked) == bool(cleanup):
            raise BenchError("des situations à mettre dans un PACS, ou --cleanup : l'un des deux")
        place = journal or _dated("retrait" if cleanup else "images")
        if cleanup:
            back = _withdrawal(cleanup, runs, by, profile, dmp, certificates, trust)
            with keep(place) as observe, console.status("Lecture du journal et retraits…"):
                withdrawn = list(back(observe))
            done = all(one.done for one in withdrawn)
            document = {"run": cleanup, "by": by, "withdrawn": [o.as_json() for o in withdrawn]}
            for one in withdrawn:
                mark = "[green]✓[/green]" if one.done else "[red]✗[/red]"
                console.print(f"{mark} KOS {one.kos_uid} : {escape(one.detail)}", highlight=False)
            console.print(f"{len(withdrawn)} KOS en vigueur dans cette campagne")
        else:
            way = pushing.route(to, stow, Means.of(trust, certificate, key, (), 30.0))
            prepared = list(_prepared(named(asked), profile, seed, day.date()))
            with keep(place) as observe:
                send = way(observe)
                pushed = {
                    one.situation.name: pushing.fill(one, send, console) for one, _ in prepared
                }
            done = not any(one.failures or one.unsent for one in pushed.values())
            document = {
                "seed": seed,
                "on": f"{day:%Y-%m-%d}",
                "situations": [
                    {
                        "name": name,
                        "taken": one.taken,
                        "unsent": one.unsent,
                        "failures": [
                            {"sop_instance": f.sop_instance, "why": f.why} for f in one.failures
                        ],
                    }
                    for name, one in pushed.items()
                ],
            }
    except BenchError as error:
        refuse(str(error))
    console.print(f"Journal : {place}", style="dim", highlight=False, markup=False)
    if as_json_:
        print_json({**document, "journal": str(place)})
    raise Finished(ExitCode.CONFORM if done else ExitCode.FAIL)


def _withdrawal(
    run: str,
    runs: Path,
    by: str,
    profile: Path | None,
    dmp: str,
    certificates: Path | None,
    trust: Path | None,
) -> Callable[[Observe], Iterator[Withdrawn]]:
    """How what a run published is taken back, one way or the other."""
    from bench.journal import Journal as RunJournal
    from bench.profile import EMBEDDED, read
    from bench.runs import find_run
    from bench.site import site_of
    from drimbench import data_push as pushing

    played = RunJournal(find_run(run, runs))
    target = read(profile) if profile else EMBEDDED
    if by == "source":
        to, patience = _destination(profile, "--cleanup")
        other = site_of(target).names.counterpart
        return partial(pushing.withdraw_by_source, played, to, counterpart=other, timeout=patience)
    kept = certificates or (Path(target.world.pki) if target.world.pki else None)
    if kept is None:
        raise BenchError(
            "--by dmp : les certificats de la structure sont attendus : --certificates DOSSIER, "
            "ou [world] pki dans le profil"
        )
    url = dmp or pushing.dmp_of(target)
    authorities = trust or kept / "market-trust.pem"
    return partial(pushing.withdraw_at_dmp, played, url, kept, authorities)


@data.command(name="import")
def import_(
    folder: Annotated[Path, typer.Argument(metavar="DOSSIER", help="Jeu d'homologation.")],
    profile: ProfileFile = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NOM=VALEUR", help="Valeur d'un {{NOM}} ; répétable."),
    ] = None,
    only: Annotated[
        str, typer.Option(help="Motif des messages à jouer (« *Examen G* ») ; tous par défaut.")
    ] = "*",
    form: Annotated[
        Literal["ORU", "MDM", "both"],
        typer.Option(help="De deux messages qui portent le même compte rendu, lequel jouer."),
    ] = "ORU",
    send: Annotated[
        bool, typer.Option("--send", help="Envoyer à la Source du profil ; sans quoi rien ne part.")
    ] = False,
    journal: Journal = None,
    as_json_: Json = False,
) -> None:
    """Joue un jeu d'homologation que vous détenez : {{…}} remplis, LF en CR, MLLP ajouté.

    Sans --send, liste les fichiers, juge les messages prêts, et nomme les {{…}} inconnus, fichier
    et ligne. Rien d'autre n'est modifié : le compte rendu que porte un message part tel quel.

    [bold]Exemples[/bold]

    drimbench data import "Jeux de données/HL7v2"

    drimbench data import HL7v2/ --only "*Examen G*" --form MDM --profile ma-boite.toml --send

    drimbench data import HL7v2/ --set facilityReceiver=CLINIQUE --json

    Codes de sortie : 0 conforme, 1 refus ou silence de la Source, 2 reste à remplir, 64 usage.
    """
    from bench.dataset.homologation import Set, ready, values_of
    from bench.dataset.sending import deliver, without_twins
    from bench.dataset.sending import journal as keep
    from drimbench import data_import as shown

    console = Console(quiet=as_json_, soft_wrap=True)
    sent: tuple[Delivery, ...] = ()
    try:
        values = values_of(shown.values_given(given or ()), moment=lambda: datetime.now(UTC))
        found = Set.read(folder)
        every = [one for one in ready(found, values) if fnmatch(one.file.name, only)]
        messages = tuple(every) if form == "both" else without_twins(every, form)
        left = [one for one in every if one not in messages]
        shown.show_set(found, messages, left, console)
        stuck = shown.unfilled(messages) + [one.trouble for one in messages if one.trouble]
        if send:
            if stuck or not messages:
                raise BenchError(
                    "rien n'est envoyé : "
                    + (f"{stuck[0]} ({len(stuck)} en tout)" if stuck else "aucun message")
                )
            to, patience = _destination(profile, "--send")
            place = journal or _dated("import")
            with keep(place) as observe:
                sent = deliver(
                    ((one.file.name, one.data) for one in messages),
                    to,
                    observe,
                    timeout=patience,
                    told=lambda one: shown.show_ack(one, console),
                )
            console.print(f"Journal : {place}", highlight=False, markup=False)
    except BenchError as error:
        refuse(str(error))
    if as_json_:
        print_json(shown.as_json(found, messages, left, sent))
    if any(one.ack is None or not one.ack.accepted for one in sent):
        raise Finished(ExitCode.FAIL)
    raise Finished(ExitCode.OPEN if stuck or found.refused else ExitCode.CONFORM)


def _destination(profile: Path | None, option: str) -> tuple[tuple[str, int], float]:
    """Where the Source of a profile receives reports, and how long its answer may take."""
    from bench.profile import read

    if profile is None:
        raise BenchError(f"{option} demande --profile : l'adresse de la Source ([source] mllp)")
    target = read(profile)
    host, _, port = target.source.mllp.rpartition(":")
    if not host:
        raise BenchError(f"{profile} : clé « source.mllp » : adresse:port attendu, trouvé rien")
    return (host.strip("[]"), int(port)), target.timing.ack_s


def _dated(what: str) -> Path:
    """A folder for the journal of one command. Not among the runs: it is no campaign."""
    return Path("envois") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{what}"


def _prepared(
    situations: tuple[Situation, ...], profile: Path | None, seed: int, day: date
) -> Iterator[tuple[Prepared, str]]:
    """Each situation with its values, and the host of the Source's images."""
    from bench.dataset.prepared import prepare
    from bench.profile import EMBEDDED, read
    from bench.site import site_of

    target = read(profile) if profile else EMBEDDED
    site = site_of(target)
    for situation in situations:
        yield prepare(situation, seed=seed, day=day, site=site), target.source.host
