"""What an administrator types for either box: its alerts, its audit trail, its statistics."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from drimbox_ref import statistics
from drimbox_ref.config import Box, ConfigError
from drimbox_ref.database import Database
from drimbox_ref.trail import Criteria, Record, SqlAlerts, SqlAudit, audit_key, shown
from wire.progress import Progress

__all__ = [
    "CONFIG",
    "DRY_RUN",
    "FAILED",
    "JSON",
    "USAGE",
    "Held",
    "application",
    "emit",
    "fail",
    "guarded",
    "print_line",
]

FAILED, USAGE, INTERRUPTED = 1, 64, 130

CONFIG = Annotated[
    Path, typer.Option("--config", help="Configuration TOML de la DRIMbox.", show_default=False)
]
JSON = Annotated[bool, typer.Option("--json", help="Un document JSON sur la sortie standard.")]
DRY_RUN = Annotated[bool, typer.Option("--dry-run", help="Dire ce qui serait fait, sans le faire.")]

Since = Annotated[str, typer.Option("--since", help="À partir de (ISO 8601, UTC par défaut).")]
Until = Annotated[str, typer.Option("--until", help="Avant (ISO 8601, UTC par défaut).")]

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Held:
    """A box's state, opened."""

    box: Box
    database: Database

    def audit(self) -> SqlAudit:
        """Its audit trail."""
        return SqlAudit(self.database, key=audit_key(self.box.state))


Opened = Callable[[Path], Held]
"""A configuration file to the state of its box; raises ConfigError."""


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End with one line on stderr."""
    sys.stderr.write(f"{message}\n")
    raise typer.Exit(code)


def emit(value: object) -> None:
    """A JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


@contextmanager
def guarded(opened: Opened, config: Path) -> Iterator[Held]:
    """The state of a box, given back in the end; what is wrong is told in one line."""
    try:
        held = opened(config.absolute())
    except ConfigError as error:
        fail(str(error), USAGE)
    try:
        yield held
    except KeyboardInterrupt:
        fail("Interrompu.", INTERRUPTED)
    except OSError as error:
        fail(f"{error.filename or 'fichier'} : {error.strerror or error}")
    finally:
        held.database.close()


def application(opened: Opened, role: str) -> typer.Typer:
    """`alerts`, `audit search`, `audit verify`, `stats` of a box of that role."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
    example = f"Exemple : python -m drimbox_ref {role.lower()}"

    @app.callback()
    def _begin() -> None:
        """Administration de la DRIMbox de référence."""

    @app.command(epilog=f"{example} alerts --config {role.lower()}.toml --limit 5")
    def alerts(
        config: CONFIG,
        limit: Annotated[int, typer.Option(min=1, help="Combien, au plus.")] = 50,
        as_json: JSON = False,
    ) -> None:
        """Les alertes de l'administrateur, les plus récentes d'abord."""
        with guarded(opened, config) as held:
            found = SqlAlerts(held.database).everything(limit)
            if as_json:
                emit(found)
                return
            for one in found:
                print_line(f"{one['utc']}  {one['kind']}  {one['message']}")
                print_line(f"    à faire : {one['advice']}")
            if not found:
                print_line("Aucune alerte.")

    app.add_typer(_audit(opened, role), name="audit", help="Le journal d'audit.")

    @app.command(epilog=f"{example} stats --config {role.lower()}.toml --to novembre.csv")
    def stats(
        config: CONFIG,
        to: Annotated[Path | None, typer.Option("--to", help="Fichier CSV à écrire.")] = None,
        since: Since = "",
        until: Until = "",
    ) -> None:
        """Les statistiques, une ligne par événement, en CSV (stdout sans --to).

        Nombre_Appel et Statut_Appel sont les deux colonnes publiées de ModelStat ; les colonnes
        KIT_ sont les nôtres. Aucun patient, aucun professionnel.
        """
        criteria = Criteria(since=_moment("--since", since), until=_moment("--until", until))
        with guarded(opened, config) as held:
            stream = StringIO(newline="")
            audit = held.audit()
            with Progress("événements lus", audit.count()) as progress:
                records = _within(audit, criteria, progress)
                count = statistics.write(stream, records, box=held.box.name)
            if to is None:
                sys.stdout.write(stream.getvalue())
                return
            # A byte order mark: without it spreadsheets take UTF-8 for something else.
            to.write_text(stream.getvalue(), encoding="utf-8-sig", newline="")
            print_line(f"{count} ligne(s) dans {to}")

    return app


def _audit(opened: Opened, role: str) -> typer.Typer:
    app = typer.Typer(no_args_is_help=True)
    example = f"Exemple : python -m drimbox_ref {role.lower()} audit"

    @app.command(epilog=f"{example} search --config {role.lower()}.toml --patient 275036322310189")
    def search(
        config: CONFIG,
        patient: Annotated[str, typer.Option(help="Matricule INS.")] = "",
        professional: Annotated[str, typer.Option(help="Identifiant national.")] = "",
        document: Annotated[
            str, typer.Option(help="KOS, examen, compte rendu, lot ou message.")
        ] = "",
        event: Annotated[str, typer.Option(help="RAD-128, ITI-41, ITI-43…")] = "",
        since: Since = "",
        until: Until = "",
        failures: Annotated[bool, typer.Option("--failures", help="Les échecs seuls.")] = False,
        limit: Annotated[int, typer.Option(min=1, help="Combien, au plus.")] = 50,
        as_json: JSON = False,
    ) -> None:
        """Cherche par patient, professionnel, document, événement, dates (DB.CS.10)."""
        criteria = Criteria(
            patient=patient,
            professional=professional,
            document=document,
            event=event,
            since=_moment("--since", since),
            until=_moment("--until", until),
            failures=failures,
        )
        with guarded(opened, config) as held:
            found = held.audit().search(criteria, limit)
            if as_json:
                emit([shown(record) for record in found])
                return
            for record in found:
                print_line(_line(record))
            if not found:
                print_line("Aucun événement.")

    @app.command(epilog=f"{example} verify --config {role.lower()}.toml")
    def verify(
        config: CONFIG,
        anchor: Annotated[
            str,
            typer.Option(help="NUMÉRO:EMPREINTE notés lors d'une vérification d'avant."),
        ] = "",
        as_json: JSON = False,
    ) -> None:
        """Vérifie que rien n'a été modifié, retiré, ajouté ni déplacé (DB.CS.08).

        La dernière ligne est à noter ailleurs : donnée par --anchor, elle montre aussi que le
        journal entier n'a pas été remis à un état antérieur.
        """
        noted = _anchor(anchor)
        with guarded(opened, config) as held:
            audit = held.audit()
            with Progress("événements vérifiés", audit.count()) as progress:
                chain = audit.verify(anchor=noted, told=progress.to)
            if as_json:
                emit(
                    {
                        "intact": chain.intact,
                        "count": chain.count,
                        "head": chain.head,
                        "breaks": list(chain.breaks),
                    }
                )
            elif chain.intact:
                print_line(f"Journal d'audit intact : {chain.count} événement(s).")
                print_line(f"À noter : {chain.count}:{chain.head}")
            else:
                for one in chain.breaks:
                    sys.stderr.write(f"{one}\n")
            if not chain.intact:
                fail(f"Le journal d'audit de la {role} a été altéré.")

    return app


def print_line(text: str) -> None:
    """A line on stdout."""
    sys.stdout.write(f"{text}\n")


def _line(record: Record) -> str:
    event = record.event
    what = ", ".join(f"{name} {value}" for name, value in event.objects.items() if value)
    words = (
        f"{record.number:>6}",
        f"{record.utc:%Y-%m-%d %H:%M:%S}",
        event.event,
        f"échec {event.outcome}" if event.outcome else "succès",
        event.patient and f"patient {event.patient}",
        event.subject and f"professionnel {event.subject}",
        what,
        event.description,
    )
    # A peer's control characters stay visible, and on one line.
    line = "  ".join(word for word in words if word)
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line)


def _within(audit: SqlAudit, criteria: Criteria, progress: Progress) -> Iterator[Record]:
    """All records of a period, oldest first."""
    after = 0
    while page := audit.after(after, _PAGE):
        for record in page:
            progress.step()
            if criteria.since and record.utc < criteria.since:
                continue
            if criteria.until and record.utc >= criteria.until:
                continue
            yield record
        after = page[-1].number


def _moment(option: str, written: str) -> datetime | None:
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        fail(f"{option} : attendu une date ISO 8601 (2026-11-22), trouvé {written!r}", USAGE)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _anchor(written: str) -> tuple[int, str] | None:
    if not written:
        return None
    number, _, mac = written.partition(":")
    if not number.isdigit() or not mac:
        fail(f"--anchor : attendu NUMÉRO:EMPREINTE, trouvé {written!r}", USAGE)
    return int(number), mac
