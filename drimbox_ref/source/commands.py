"""What an administrator types for a Source: its archive exported, imported, saved, restored, and
compared with the PACS."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from drimbox_ref import holding
from drimbox_ref.commands import (
    CONFIG,
    DRY_RUN,
    FAILED,
    JSON,
    USAGE,
    Held,
    application,
    emit,
    fail,
    guarded,
    print_line,
)
from drimbox_ref.config import ConfigError
from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.backoff import Backoff
from drimbox_ref.source.backup import BackupError, restore, save
from drimbox_ref.source.config import SourceConfig, load
from drimbox_ref.source.hours import Window, window
from drimbox_ref.source.orders import READDRESS, RESYNC, addressed
from drimbox_ref.source.state import open_database
from drimbox_ref.source.walking import Walk, in_force
from drimbox_ref.source.xdm_export import export
from drimbox_ref.source.xdm_import import ArchiveError, take
from drimbox_ref.trail import audit_key, keep_key
from wire.progress import Progress

__all__ = ["app"]

_EXAMPLE = "Exemple : python -m drimbox_ref source"
_SHOWN = 20
"""Failures told one by one; `--json` has them all."""


def _opened(config: Path) -> Held:
    read = load(config)
    return Held(read.box, open_database(read))


app = application(_opened, "Source")


@app.command(name="export", epilog=f"{_EXAMPLE} export --config source.toml --to /media/usb")
def _export(
    config: CONFIG,
    to: Annotated[Path, typer.Option("--to", help="Dossier où écrire KA<aaaamm>.zip.")],
    month: Annotated[str, typer.Option(help="Ce mois seul (aaaa-mm).")] = "",
    dry_run: DRY_RUN = False,
    as_json: JSON = False,
) -> None:
    """Exporte l'archive locale en XDM, une archive par mois (DB.SO.29)."""
    only = _month(month)
    with guarded(_opened, config) as held:
        archive = SqlArchive(held.database)
        with Progress("KOS lus", archive.count()) as progress:
            exported = export(
                archive, to, sender=held.box.name, month=only, dry_run=dry_run, told=progress.to
            )
        if as_json:
            emit(
                {
                    "count": exported.count,
                    "months": exported.months,
                    "files": [str(file) for file in exported.files],
                    "failures": exported.failures,
                }
            )
        else:
            verb = "à exporter" if dry_run else "exportés"
            for name, count in sorted(exported.months.items()):
                print_line(f"KA{name} : {count} KOS {verb}")
            if not exported.months:
                print_line("Aucun KOS dans cette archive.")
        _end(exported.failures, "KOS n'ont pas pu être exportés")


@app.command(name="import", epilog=f"{_EXAMPLE} import KA202611.zip --config source.toml")
def _import(
    files: Annotated[list[Path], typer.Argument(help="Archives XDM (ZIP).", show_default=False)],
    config: CONFIG,
    dry_run: DRY_RUN = False,
    as_json: JSON = False,
) -> None:
    """Importe des archives XDM dans l'archive locale (DB.SO.30).

    Empreintes, tailles, signature du lot et patient sont vérifiés. Ce qui est déjà là est laissé ;
    reprendre après une interruption, c'est relancer la commande.
    """
    with guarded(_opened, config) as held:
        pacs_of = _pacs_of(load(config.absolute()))
        try:
            with Progress("lots lus") as progress:
                imported = take(
                    SqlArchive(held.database),
                    files,
                    pacs_of=pacs_of,
                    dry_run=dry_run,
                    told=progress.to,
                )
        except ArchiveError as error:
            fail(str(error), USAGE)
        if as_json:
            emit(
                {
                    "taken": imported.taken,
                    "known": imported.known,
                    "failures": imported.failures,
                }
            )
        else:
            verb = "à importer" if dry_run else "importés"
            print_line(f"{imported.taken} KOS {verb}, {imported.known} déjà dans l'archive")
        _end(imported.failures, "lots refusés")


@app.command(name="backup", epilog=f"{_EXAMPLE} backup --config source.toml --to nuit.zip")
def _backup(
    config: CONFIG,
    to: Annotated[Path, typer.Option("--to", help="Fichier ZIP à écrire.")],
    dry_run: DRY_RUN = False,
) -> None:
    """Sauvegarde tout l'état, la Source en marche ou non (DB.SO.24)."""
    with guarded(_opened, config) as held:
        if dry_run:
            print_line(f"{SqlArchive(held.database).count()} KOS à sauvegarder dans {to}")
            return
        with Progress("lignes sauvegardées") as progress:
            saved = save(
                held.database,
                to,
                key=audit_key(held.box.state),
                now=datetime.now(UTC),
                told=progress.to,
            )
        print_line(f"{saved.count} ligne(s) sauvegardées dans {to}")


@app.command(name="restore", epilog=f"{_EXAMPLE} restore --config neuve.toml --from nuit.zip")
def _restore(
    config: CONFIG,
    source: Annotated[Path, typer.Option("--from", help="Sauvegarde à restaurer.")],
    dry_run: DRY_RUN = False,
) -> None:
    """Restaure une sauvegarde dans une base vide, d'un coup ou pas du tout (DB.SO.24).

    La Source doit être arrêtée : elle écrirait dans une base qui n'est pas encore la sienne.
    """
    with guarded(_opened, config) as held:
        try:
            alone = holding.held(held.box, "source", file=config.absolute())
            with nullcontext() if dry_run else alone, Progress("lignes lues") as progress:
                saved, key = restore(held.database, source, dry_run=dry_run, told=progress.to)
                if not dry_run:
                    keep_key(held.box.state, key)
        except (BackupError, ConfigError) as error:
            fail(str(error))
        verb = "à restaurer" if dry_run else "restaurées"
        print_line(f"{saved.count} ligne(s) {verb}, de la sauvegarde du {saved.utc}")


Restart = Annotated[bool, typer.Option("--restart", help="Reprendre du premier KOS.")]
Studies = Annotated[list[str] | None, typer.Option("--study", help="Cet examen seul ; répétable.")]


@app.command(name="resync", epilog=f"{_EXAMPLE} resync --config source.toml --suspend 08:00-18:00")
def _resync(
    config: CONFIG,
    study: Studies = None,
    suspend: Annotated[
        list[str] | None,
        typer.Option(help="Plage où rien n'est commencé, heure locale ; répétable."),
    ] = None,
    restart: Restart = False,
    dry_run: DRY_RUN = False,
    as_json: JSON = False,
) -> None:
    """Redemande au PACS chaque examen dont un KOS est en vigueur (DB.SO.28).

    Un examen qui a quitté le PACS est dépublié, un examen changé remplacé. La Source en marche fait
    le travail ; interrompue, la commande reprend où elle en était.
    """
    with guarded(_opened, config) as held:
        read = load(config.absolute())
        try:
            windows = (*read.suspended, *(window(one) for one in suspend or ()))
        except ValueError as error:
            fail(f"--suspend : {error}", USAGE)
        if dry_run:
            _compare(held, read, study or [], as_json)
            return
        _walk(held, RESYNC, study or [], windows, restart, as_json)


@app.command(
    name="readdress", epilog=f"{_EXAMPLE} readdress --config source.toml --url https://db2.fr/rs"
)
def _readdress(
    config: CONFIG,
    url: Annotated[str, typer.Option(help="La nouvelle adresse, celle de wado.public_url.")],
    study: Studies = None,
    restart: Restart = False,
    dry_run: DRY_RUN = False,
    as_json: JSON = False,
) -> None:
    """Remplace dans le DMP chaque KOS qui mène à une autre adresse que celle-ci (DB.SO.31).

    La Source doit déjà tourner avec cette adresse.
    """
    with guarded(_opened, config) as held:
        read = load(config.absolute())
        if url.rstrip("/") != read.wado.public_url:
            fail(
                f"--url : attendu wado.public_url, {read.wado.public_url!r}, trouvé {url!r}", USAGE
            )
        if dry_run:
            entries = [entry for _, entry in in_force(SqlArchive(held.database))]
            moved = [one for one in entries if not addressed(one.kos, read.wado.public_url)]
            print_line(f"{len(moved)} KOS à remplacer, sur {len(entries)} en vigueur")
            return
        _walk(held, READDRESS, study or [], read.suspended, restart, as_json, read.wado.public_url)


def _walk(
    held: Held,
    kind: str,
    studies: list[str],
    suspended: tuple[Window, ...],
    restart: bool,
    as_json: bool,
    address: str = "",
) -> None:
    total = len(studies) or sum(1 for _ in in_force(SqlArchive(held.database)))
    with Progress("examens", total) as progress:
        walk = Walk(
            held.database,
            kind,
            address=address,
            suspended=suspended,
            now=lambda: datetime.now(UTC).astimezone(),
            told=lambda what: sys.stderr.write(f"{what}\n"),
            progress=progress.to,
        )
        if restart:
            walk.forget()
        elif (begun := walk.begun()) and not studies:
            sys.stderr.write(f"reprise du parcours commencé le {begun}\n")
        walked = walk.run(studies)
    if as_json:
        emit({"exams": walked.ordered, "results": dict(walked.words)})
        return
    print_line(f"{walked.ordered} examen(s)")
    for word, count in walked.words.most_common():
        print_line(f"  {word} : {count}")


def _compare(held: Held, config: SourceConfig, studies: list[str], as_json: bool) -> None:
    """What a resynchronisation would do, the PACS being asked and nobody else."""
    from drimbox_ref.source.examinations import DimseExaminations
    from drimbox_ref.source.renewal import outlook

    examinations = DimseExaminations(
        config.pacs,
        ae_title=config.dicom.ae_title,
        level=config.options.find_level,
        timeout_s=config.timing.pacs_timeout_s,
        backoff=Backoff(config.timing.retry_first_s, config.timing.retry_max_s),
    )
    words: dict[str, int] = {}
    entries = [
        e for _, e in in_force(SqlArchive(held.database)) if not studies or e.study_uid in studies
    ]
    with Progress("examens", len(entries)) as progress:
        for entry in entries:
            word = outlook(entry, examinations)
            words[word] = words.get(word, 0) + 1
            progress.step()
    if as_json:
        emit({"exams": len(entries), "results": words})
        return
    print_line(f"{len(entries)} examen(s)")
    for word, count in sorted(words.items()):
        print_line(f"  {word} : {count}")


def _pacs_of(config: SourceConfig) -> Callable[[str], str]:
    """Which PACS serves an accession authority: where images of an imported KOS are asked."""

    def pacs_of(issuer: str) -> str:
        naming = [one for one in config.pacs if issuer in one.accession_issuers]
        others = [one for one in config.pacs if not one.accession_issuers]
        return (naming or others or list(config.pacs))[0].ae_title

    return pacs_of


def _month(written: str) -> str:
    if not written:
        return ""
    try:
        return f"{datetime.strptime(written, '%Y-%m'):%Y%m}"
    except ValueError:
        fail(f"--month : attendu aaaa-mm, trouvé {written!r}", USAGE)


def _end(failures: list[str], what: str) -> None:
    """Tell what failed; the exit code says so."""
    if not failures:
        return
    more = len(failures) - _SHOWN
    lines = [
        *failures[:_SHOWN],
        *([f"… et {more} autre(s) (--json les donne)"] if more > 0 else []),
    ]
    fail("\n".join((*lines, f"{len(failures)} {what}.")), FAILED)
