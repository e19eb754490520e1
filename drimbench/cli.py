"""The command line: `drimbench run`, `list`, `report`, `validate`, `explain`, `mutants`..."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode, exit_code
from drimbench import (
    bench_cli,
    clients_cli,
    data_cli,
    docs_cli,
    doctor_cli,
    dossier_cli,
    extracting,
    faults_cli,
    fuzz_cli,
    init_cli,
    judge_cli,
    load_cli,
    pki_cli,
    plugins_cli,
    requirements_cli,
    runs_cli,
    serve_cli,
    speed_cli,
    tap_cli,
)
from drimbench.ending import Finished, print_json, refuse
from drimbench.evidence import chosen_projections, project, write_reports
from drimbench.given_options import Floor
from drimbench.plugins import installed

if TYPE_CHECKING:
    from bench.results import Run

# Each command imports what it needs when it runs: `--help` and `validate` start at once.

__all__ = ["main"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Banc d'essai des DRIMbox : joue, juge, et écrit les preuves.",
)


def _tell_version(asked: bool) -> None:
    if asked:
        from bench.sessions import versions

        played_by = versions()
        sys.stdout.write(f"drimbench {played_by['version']}, Python {played_by['python']}\n")
        raise Finished(ExitCode.CONFORM)


@app.callback()
def _begin(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Dire la version."),
    ] = False,
) -> None:
    requirements_cli.use_official()
    try:
        installed()
    except BenchError as error:
        refuse(str(error))


Json = Annotated[bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")]

Har = Annotated[
    bool, typer.Option("--har", help="Écrire aussi les échanges HTTP en HAR (echanges.har).")
]

Projections = Annotated[
    list[str] | None,
    typer.Option(
        "--projection",
        metavar="NOM",
        help="Écrire aussi cette projection d'un greffon ; répétable.",
    ),
]


@app.command()
def run(
    select: Annotated[
        list[str] | None,
        typer.Argument(
            help="Scénarios (ou leur début : SCN-IMG), exigences, étiquettes, domaines ou rôles à "
            "jouer (tous par défaut)."
        ),
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="Profil TOML du produit (référence embarquée par défaut).")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Compte rendu CDA réel à publier et consulter comme le ferait le RIS."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Dossier d'images DICOM pour --report.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Où écrire le dossier de la campagne.")] = Path("runs"),
    seed: Annotated[int | None, typer.Option(help="Graine (affichée à chaque campagne).")] = None,
    suite: Annotated[
        str,
        typer.Option(
            help="Suite source, consumer, securite ou socle, ou nommée par le profil ([suites])."
        ),
    ] = "",
    driver: Annotated[
        str,
        typer.Option(
            help="Pilote des pages de la Consommatrice, au lieu de celui du profil : chromium, "
            "personne, ou celui d'un module."
        ),
    ] = "",
    last_failed: Annotated[
        bool, typer.Option("--last-failed", help="Ce que la dernière campagne n'a pas passé.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Reprendre la dernière campagne interrompue, ou celle que nomme le premier mot.",
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Combien de bancs se partagent les scénarios ; deux pour la référence embarquée, "
            "un pour un produit, qui se conduit en série.",
        ),
    ] = None,
    no_input: Annotated[
        bool,
        typer.Option("--no-input", help="Ne rien demander à personne : ce sera à relire."),
    ] = False,
    only_list: Annotated[
        bool, typer.Option("--list", help="Lister ce qui serait joué, sans le jouer.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Vérifier profil, sélection et fichiers, sans jouer.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Un avertissement compte comme un échec.")
    ] = False,
    floor: Floor = None,
    har: Har = False,
    projection: Projections = None,
    tls_keys: Annotated[
        bool,
        typer.Option(
            "--tls-keys",
            help="Garder les secrets TLS du banc (tls-keys.log), pour lire une capture réseau.",
        ),
    ] = False,
    as_json_: Json = False,
) -> None:
    """Joue une campagne, la juge et écrit le rapport.

    [bold]Exemples[/bold]

    drimbench run                                  toute la campagne embarquée

    drimbench run DB.SO.12                         les scénarios d'une exigence

    drimbench run publication --json               un domaine, résultat en JSON

    drimbench run --profile examples/reference.toml

    drimbench run --report CR.xml --images dossier/

    drimbench run --last-failed                    ce qui n'est pas passé la dernière fois

    drimbench run --resume                         la suite d'une campagne interrompue

    drimbench run --resume @2 --profile ma-boite.toml

    drimbench run --workers 1                      un seul banc, scénario après scénario

    drimbench run --suite source                   tout ce qui juge une Source

    drimbench run --suite securite                 les attaques que le fil peut montrer

    drimbench run --suite socle                    les exigences du socle que le fil montre

    drimbench run SCN-PRJ-01 --driver chromium     dans un vrai navigateur, avec captures

    drimbench run --suite nuit --profile ma-boite.toml --strict --floor faq

    drimbench run publication --har --tls-keys     pour un navigateur, pour Wireshark

    Codes de sortie : 0 conforme, 1 échec, 2 reste à vérifier, 3 succès inattendu,
    64 usage ou configuration, 70 erreur interne.
    """
    from bench.campaign import Options, play
    from bench.parallel import play_by_workers, usual_workers
    from drimbench import planning, resuming
    from drimbench.origin import check_rooms
    from features import FEATURES, STEP_MODULES
    from reports.console import summarise
    from reports.json import as_json

    console = Console(stderr=True)
    try:
        check_rooms()
        projections = chosen_projections(projection or ())
        if images is not None and report is None:
            raise BenchError("--images accompagne --report : donnez aussi le compte rendu")
        target = planning.target(profile, strict=strict, floor=floor, driver=driver)
        rest = resuming.chosen(select or (), runs) if resume else None
        if rest is not None and last_failed:
            raise BenchError("--resume et --last-failed s'excluent")
        asked = Options(
            features=FEATURES,
            steps=(*STEP_MODULES, *(name for one in installed() for name in one.steps)),
            also=tuple(one.features for one in installed() if one.features is not None),
            browsers={name: made for one in installed() for name, made in one.drivers.items()},
            runs=runs,
            profile=target,
            seed=seed,
            only=planning.words(
                select or () if rest is None else rest.words, runs, last_failed=last_failed
            ),
            suite=suite,
            report=report,
            images=images,
            tls_keys=tls_keys,
        )
        if only_list or dry_run:
            planning.tell(asked, as_json=as_json_, brief=only_list)
            raise Finished(ExitCode.CONFORM)
        if exposure := target.world.exposure:
            console.print(f"Attention : {exposure}.", style="yellow", highlight=False)
        faces = planning.faces(console, silent=as_json_, no_input=no_input)

        def playing(options: Options) -> Run:
            count = usual_workers(options) if workers is None else workers
            if count > 1:
                return play_by_workers(options, count, faces[0], planning.prepare)
            return play(options, *faces)

        played = playing(asked) if rest is None else resuming.rest(rest, asked, playing)
    except BenchError as error:
        refuse(str(error))
    page = write_reports(played, played.directory, har=har)
    project(played, played.directory, projections)
    if as_json_:
        print_json(as_json(played, page))
    else:
        summarise(played, page, console)
    if played.interrupted:
        console.print("Reprise : drimbench run --resume", highlight=False)
        raise KeyboardInterrupt
    raise Finished(exit_code(played.verdict, strict=target.strict))


@app.command(name="list")
def list_(as_json_: Json = False) -> None:
    """Liste les scénarios, leurs exigences et leur fichier.

    [bold]Exemple[/bold]

    drimbench list --json
    """
    from bench.gate import check_features
    from features import FEATURES

    def _shown(file: Path) -> Path:
        return file.relative_to(FEATURES) if file.is_relative_to(FEATURES) else file

    try:
        also = tuple(one.features for one in installed() if one.features is not None)
        found = check_features(FEATURES, *also)
    except BenchError as error:
        refuse(str(error))
    rows = [
        {
            "id": pickle.scenario,
            "name": pickle.title,
            "domain": pickle.file.parent.name,
            "requirements": [tag for tag in pickle.tags if not tag.startswith("SCN-")],
            "file": f"{_shown(pickle.file)}:{pickle.line}",
        }
        for pickle in found
    ]
    if as_json_:
        print_json(rows)
        return
    console = Console()
    for row in rows:
        console.print(f"[bold]{row['id']}[/bold]  {row['name']}", highlight=False)
        console.print(
            f"    {', '.join(row['requirements'])}  ({row['file']})", style="dim", highlight=False
        )
    console.print(f"{len(rows)} scénarios")


@app.command()
def report(
    run_directory: Annotated[Path, typer.Argument(help="Dossier d'une campagne (runs/…).")],
    har: Har = False,
    projection: Projections = None,
    as_json_: Json = False,
) -> None:
    """Réécrit les rapports d'une campagne à partir de son seul journal.

    [bold]Exemples[/bold]

    drimbench report runs/20261122T101500Z-a1b2

    drimbench report runs/20261122T101500Z-a1b2 --har
    """
    from bench.assemble import load
    from bench.packed import refuse_if_packed
    from reports.console import summarise
    from reports.json import as_json

    try:
        projections = chosen_projections(projection or ())
        refuse_if_packed(run_directory, "rapport réécrit")
        played = load(run_directory)
    except BenchError as error:
        refuse(str(error))
    page = write_reports(played, played.directory, har=har)
    project(played, played.directory, projections)
    if as_json_:
        print_json(as_json(played, page))
    else:
        summarise(played, page, Console(stderr=True))
    raise Finished(exit_code(played.verdict))


@app.command()
def mutants(
    names: Annotated[
        list[str] | None, typer.Argument(help="Boîtes fautives à jouer (toutes par défaut).")
    ] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Les nommer sans les jouer.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Jouer tous les scénarios de leur rôle.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(help="Avec --full, consigner ce qu'elles ont fait dans ce fichier JSON."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Où écrire les campagnes.")] = Path("runs"),
    as_json_: Json = False,
) -> None:
    """Joue des boîtes fautives : la preuve que le banc sait en refuser une.

    La boîte juste est jouée d'abord : elle doit être conforme, et dit quelles parties d'elle-même
    chaque scénario emploie. Une boîte fautive joue ensuite les scénarios de ses exigences et, parmi
    ceux qui ont employé sa partie fautive là où elle aurait agi autrement, ce qu'il en faut pour
    que chacune de leurs exigences soit demandée. Une attaque n'est jouée que par les boîtes qu'elle
    vise. Avec --full, chaque boîte joue tout : c'est de là que se cite la précision.

    [bold]Exemples[/bold]

    drimbench mutants --list

    drimbench mutants sans-acquittement jeton-non-verifie

    drimbench mutants --full --json

    drimbench mutants --full --record docs/reference/matrice.json
    """
    from drimbench import wrong_boxes

    if record is not None and not full:
        refuse("--record consigne la matrice entière : avec --full")
    try:
        asked = wrong_boxes.chosen(names or ())
        if only_list:
            if as_json_:
                print_json([one.as_dict() for one in asked])
            else:
                wrong_boxes.listing(asked, Console())
            raise Finished(ExitCode.CONFORM)
        console = None if as_json_ else Console(stderr=True)
        trials = wrong_boxes.play(asked, runs, full=full, console=console, record=record)
    except BenchError as error:
        refuse(str(error))
    if as_json_:
        print_json([trial.as_dict() for trial in trials])
    raise Finished(wrong_boxes.exit_code_of(trials))


app.add_typer(docs_cli.docs, name="docs")
app.add_typer(requirements_cli.req, name="req")
app.add_typer(clients_cli.client, name="client")
app.add_typer(pki_cli.pki, name="pki")
app.add_typer(data_cli.data, name="data")
app.add_typer(faults_cli.fault, name="fault")
app.add_typer(load_cli.load, name="load")
app.command()(judge_cli.validate)
app.command()(judge_cli.cross)
app.command()(judge_cli.explain)
app.command(name="pacs-speed")(speed_cli.pacs_speed)
app.command()(bench_cli.bench)
app.command()(fuzz_cli.fuzz)
app.command()(tap_cli.tap)
app.command()(init_cli.init)
app.command()(doctor_cli.doctor)
app.command()(serve_cli.serve)
app.command()(extracting.extract)
app.command()(plugins_cli.plugins)
app.command()(runs_cli.rejudge)
app.command()(runs_cli.diff)
app.command()(runs_cli.history)
app.command()(runs_cli.review)
app.command()(runs_cli.attach)
app.command()(runs_cli.proceed)
app.command()(dossier_cli.pack)
app.command()(dossier_cli.verify)
app.command(name="options")(requirements_cli.options)


def main() -> None:
    """Entry point: usage errors end with 64, Ctrl-C with 130 and no traceback."""
    try:
        app()
    except Finished as finished:
        raise SystemExit(int(finished.code)) from None
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrompu\n")
        raise SystemExit(130) from None
    except SystemExit as end:
        # The command parser says 2 where sysexits.h, and our documentation, say 64.
        raise SystemExit(ExitCode.USAGE if end.code == 2 else end.code) from None


if __name__ == "__main__":
    main()
