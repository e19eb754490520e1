"""What each simulator holds now, as the page shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.bed import Bed
from bench.neighbours import Neighbour
from simulators.ans import Ans, Weather
from simulators.dmp import Dmp
from simulators.pacs import Pacs
from simulators.peer import PeerSource
from simulators.psc import Psc
from wire.listening import authority

__all__ = ["Holding", "Panel", "panels"]

_SHOWN = 50
"""Rows of a table; the last ones, those that somebody has just made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A table of what is held: the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One simulator."""

    id: str
    title: str
    address: str
    facts: tuple[tuple[str, str], ...]
    holdings: tuple[Holding, ...] = ()


def panels(bed: Bed, weather: Weather | None = None) -> Iterator[Panel]:
    """Every simulator, in the order in which an exam meets them. Reads the DMP's database.

    Of a real neighbour, what the profile says.
    """
    here, real = bed.simulators, bed.profile.neighbours
    title = "PACS de la Source"
    yield _pacs(here.pacs, "pacs", title) if here.pacs else _real(real.of("pacs"), title, bed)
    yield _dmp(here.dmp) if here.dmp else _real(real.of("dmp"), "DMP", bed)
    title = "Pro Santé Connect"
    yield _psc(here.psc) if here.psc else _real(real.of("psc"), title, bed)
    title = "Liste blanche"
    yield _ans(here.ans, bed) if here.ans else _real(real.of("ans"), title, bed)
    if weather is not None:
        yield _weather(weather)
    title, local = "PACS local de la Consommatrice", here.local_pacs
    yield _pacs(local, "pacs-local", title) if local else _real(real.of("local_pacs"), title, bed)
    names = bed.site.names
    yield _peer("Source voisine, inscrite", bed.neighbour, names.neighbour, bed)
    yield _peer("Source étrangère, hors de la liste", bed.stranger, names.stranger, bed)
    yield _names(bed)


def _real(neighbour: Neighbour, title: str, bed: Bed) -> Panel:
    facts = [("Voisin", neighbour.manner.value)]
    if tap := bed.taps.get(neighbour.name):
        facts.append(("Écoute", authority(tap.host, tap.port)))
    return Panel(
        id=neighbour.name.replace("local_pacs", "pacs-local"),
        title=title,
        address=neighbour.url or f"{neighbour.host}:{neighbour.port} {neighbour.ae_title}",
        facts=tuple(facts),
    )


def _pacs(pacs: Pacs, id: str, title: str) -> Panel:
    studies: dict[str, tuple[str, set[str], int]] = {}
    for one in pacs.instances():
        patient, series, count = studies.get(one.study_uid, ("", set(), 0))
        if not patient:
            patient = str(one.attributes.get("PatientName", "") or "—")
        studies[one.study_uid] = (patient, series | {one.series_uid}, count + 1)
    rows = [
        (uid, patient, str(len(series)), str(count))
        for uid, (patient, series, count) in studies.items()
    ]
    return Panel(
        id=id,
        title=title,
        address=authority(pacs.host, pacs.port),
        facts=(("Titre d'application", pacs.ae_title), ("Images reçues", str(len(pacs.received)))),
        holdings=(_held("Examens", ("StudyInstanceUID", "Patient", "Séries", "Images"), rows),),
    )


def _dmp(dmp: Dmp) -> Panel:
    patients = [
        (one.matricule, f"{one.family} {one.given}".strip(), one.state.value)
        for one in dmp.patients()
    ]
    documents = [
        (
            one.entry.unique_id,
            one.entry.title,
            one.entry.patient_id.partition("^")[0],
            one.entry.status.rpartition(":")[2],
            f"{len(one.content)} octets",
        )
        for one in dmp.documents()
    ]
    return Panel(
        id="dmp",
        title="DMP",
        address=dmp.url,
        facts=(("État", "en service" if dmp.listening else "arrêté"),),
        holdings=(
            _held("Documents", ("uniqueId", "Titre", "Patient", "Statut", "Taille"), documents),
            _held("Patients", ("Matricule INS", "Nom", "DMP"), patients),
        ),
    )


def _psc(psc: Psc) -> Panel:
    sessions = [
        (one.professional.display, one.professional.id, _moment(one.auth_time),
         _moment(one.last_seen))
        for one in psc.sessions
    ]  # fmt: skip
    clients = [
        (one.client_id, ", ".join(one.redirect_uris), "oui" if one.may_introspect else "non")
        for one in psc.clients
    ]
    people = [
        (one.id, one.display, ", ".join(a.structure for p in one.practices for a in p.activities))
        for one in psc.professionals
    ]
    return Panel(
        id="psc",
        title="Pro Santé Connect",
        address=psc.issuer,
        facts=(),
        holdings=(
            _held("Sessions", ("Professionnel", "Identifiant", "Depuis", "Vu"), sessions),
            _held("Services clients", ("client_id", "Retour", "Introspection"), clients),
            _held("Professionnels de test", ("Identifiant", "Nom", "Structures"), people),
        ),
    )


def _ans(ans: Ans, bed: Bed) -> Panel:
    white_list = ans.white_list
    rows = [(one.db, one.operator_dn, one.denomination) for one in white_list.domains]
    return Panel(
        id="ans",
        title="Liste blanche",
        address=bed.addresses().white_list,
        facts=(("Générée", f"{white_list.generated.astimezone(UTC):%d/%m/%Y %H:%M:%S} UTC"),),
        holdings=(_held("Inscrites", ("db", "Certificat de l'opérateur", "Structure"), rows),),
    )


def _weather(weather: Weather) -> Panel:
    stations = [
        (
            one.host,
            one.sky.value,
            f"{one.since.astimezone(UTC):%d/%m %H:%M:%S} UTC" if one.since else "",
            "" if one.availability is None else f"{one.availability:.1%}".replace(".", ","),
            one.glances[-1].seen if one.glances else "",
        )
        for one in weather.stations
    ]
    glances = sorted((glance.at, one.host, glance) for one in weather.stations
                     for glance in one.glances)  # fmt: skip
    seen = [
        (f"{at.astimezone(UTC):%H:%M:%S} UTC", host, glance.seen, f"{glance.took_s * 1000:.0f} ms")
        for at, host, glance in glances
    ]
    columns = ("DRIMbox", "État", "Depuis", "Dispo.", "Dernier signe")
    return Panel(
        id="meteo",
        title="Météo des services",
        address=", ".join(one.url for one in weather.stations),
        facts=(),
        holdings=(
            _held("DRIMbox suivies", columns, stations),
            _held("Sondages", ("Heure", "DRIMbox", "Signe", "Durée"), seen),
        ),
    )


def _peer(title: str, source: PeerSource, host: str, bed: Bed) -> Panel:
    rows = [
        (one.study_uid, str(len(one.series)), str(sum(map(len, one.series.values()))))
        for one in source.offers.values()
    ]
    return Panel(
        id=source.actor,
        title=title,
        address=bed.connect_to[host],
        facts=(("Nom", host),),
        holdings=(_held("Examens offerts", ("StudyInstanceUID", "Séries", "Images"), rows),),
    )


def _names(bed: Bed) -> Panel:
    port = bed.profile.world.dns
    rows = [(host, str(at.address), str(at.port)) for host, at in bed.places().items()]
    return Panel(
        id="dns",
        title="Noms",
        address=authority(bed.profile.world.announced, port)
        if port
        else "pas de DNS ([world] dns du profil)",
        facts=(),
        holdings=(_held("Hôtes", ("Nom", "Adresse", "Port"), rows),),
    )


def _held(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Holding:
    return Holding(title=title, columns=columns, rows=tuple(rows[-_SHOWN:]), total=len(rows))


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S} UTC"
