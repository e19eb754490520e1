"""`drimbench data`: one named exam per situation, written, put in a PACS, or played from a set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

if TYPE_CHECKING:
    from bench.dataset.prepared import Prepared
    from bench.dataset.sending import Delivery
    from bench.dataset.situations import Situation

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
    from drimbench.counting import Counting

    console = Console(stderr=True, quiet=as_json_)
    written = []
    try:
        for prepared, host in _prepared(named(tuple(names)), profile, seed, day.date()):
            name = prepared.situation.name
            with Counting(console, f"{name}, images") as counting:
                files = write_files(prepared, output / name, host=host, progress=counting)
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
            to, patience = _destination(profile)
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


def _destination(profile: Path | None) -> tuple[tuple[str, int], float]:
    """Where the Source of a profile receives reports, and how long its answer may take."""
    from bench.profile import read

    if profile is None:
        raise BenchError("--send demande --profile : l'adresse de la Source ([source] mllp)")
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
