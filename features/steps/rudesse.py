"""Quand une Source de la liste blanche est impolie, alors la Consommatrice s'en garde."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from bench.consulting import Consulting
from bench.enduring import Enduring, Rudeness, Said
from simulators.peer import TRAPS, RetrieveUrl, Written
from wire.http_faults import Shown, Towards

_CERTIFICATES = {
    "d'un autre hôte": Shown.OTHER_NAME,
    "d'une autre autorité": Shown.OTHER_AUTHORITY,
    "échu": Shown.EXPIRED,
    "auto-signé": Shown.SELF_SIGNED,
    "de client": Shown.CLIENT_ONLY,
}
_ANSWERS = {
    one.words: one
    for one in (
        *(Rudeness(words=f"HTTP {code}", kind="http", values={"code": code})
          for code in (400, 401, 403, 404, 406, 410, 500, 502)),
        Rudeness(words="HTTP 503 avec Retry-After", kind="http",
                 values={"code": 503, "apres": 3600}),
        Rudeness(words="connexion fermée", kind="fermeture"),
        Rudeness(words="un autre hôte", kind="redirection", values={"vers": Towards.OTHER_HOST}),
        Rudeness(words="le même hôte en clair", kind="redirection",
                 values={"vers": Towards.CLEAR}),
        Rudeness(words="frontière finale absente", kind="tronquee"),
        Rudeness(words="connexion coupée au milieu", kind="coupure", values={"octets": 9_000}),
        Rudeness(words="frontière autre qu'annoncée", kind="frontiere",
                 values={"annonce": Written.OTHER}),
        Rudeness(words="frontière non annoncée", kind="frontiere",
                 values={"annonce": Written.NONE}),
        Rudeness(words="page HTML", kind="type", values={"nom": "text/html"}),
        Rudeness(words="en-têtes démesurés", kind="en-tetes", values={"mio": 1}),
        Rudeness(words="réponse comprimée mille fois", kind="bombe", values={"mio": 32}),
        Rudeness(words="image en trop", kind="en-trop"),
        Rudeness(words="image manquante", kind="manquante"),
        Rudeness(words="images en double", kind="double"),
    )
}  # fmt: skip
_TRAPS = {words: name for name, (words, _) in TRAPS.items()}
_SAID = {
    "connexion": Said.CONNECTION,
    "récupération": Said.RETRIEVAL,
    "jeton": Said.TOKEN,
    "profession": Said.PROFESSION,
    "SOP Class": Said.SOP_CLASS,
    "syntaxe de transfert": Said.TRANSFER_SYNTAX,
    "liste blanche": Said.UNTRUSTED,
}


def _list(text: str) -> list[str]:
    return [one.strip() for one in text.split(";")]


@pytest.fixture
def enduring(consulting: Consulting) -> Iterator[Enduring]:
    """A Source that is itself again when the scenario is over."""
    one = Enduring(consulting)
    yield one
    one.mend()


@given("une Source de la liste blanche, qui vient de donner l'examen d'un autre patient")
def source_was_polite(enduring: Enduring) -> None:
    """The positive twin."""
    enduring.begin()


@given(
    parsers.re(r"un examen CT de (?P<series>\d+) séries? de ce patient à cette même Source"),
    converters={"series": int},
)
def exam_there(enduring: Enduring, series: int) -> None:
    """Its KOS is in the DMP."""
    enduring.publish(series)


@given(parsers.re(r"des KOS de ce patient qui donnent pour adresse : (?P<addresses>.+)"))
def wrong_addresses(enduring: Enduring, addresses: str) -> None:
    """One exam for each."""
    bed = enduring.consulting.story.bed
    names, stranger = bed.site.names, bed.connect_to[bed.site.names.stranger]
    port = bed.connect_to[names.neighbour].rpartition(":")[2]
    ways: dict[str, RetrieveUrl] = {
        "http en clair": lambda host, study, series: (
            f"http://{host}:{port}/drimbox/rs/studies/{study}/series/{series}"
        ),
        "un hôte listé devant un autre hôte": lambda host, study, series: (
            f"https://{host}@{names.stranger}/drimbox/rs/studies/{study}/series/{series}"
        ),
        "un hôte listé dans le nom d'un autre": lambda host, study, series: (
            f"https://{names.stranger}/{host}/rs/studies/{study}/series/{series}"
        ),
        "la machine elle-même": lambda host, study, series: (
            f"https://127.0.0.1:{stranger.rpartition(':')[2]}"
            f"/drimbox/rs/studies/{study}/series/{series}"
        ),
    }
    enduring.publish_at_addresses(ways[one] for one in _list(addresses))


@when(
    parsers.re(
        r"la Source montre tour à tour un certificat : (?P<certificates>.+), "
        r"et l'examen est demandé chaque fois"
    )
)
def bad_certificates(enduring: Enduring, certificates: str) -> None:
    """At each handshake."""
    enduring.ask_under(
        [
            Rudeness(words=one, kind="certificat", on="TLS", values={"montre": _CERTIFICATES[one]})
            for one in _list(certificates)
        ]
    )


@when(
    parsers.re(
        r"la Source (répond|renvoie) tour à tour : (?P<answers>.+), et l'examen est demandé "
        r"chaque fois"
    )
)
def bad_answers(enduring: Enduring, answers: str) -> None:
    """Whatever is asked of it."""
    enduring.ask_under([_ANSWERS[one] for one in _list(answers)])


@when("la Source rend des images dans une syntaxe de transfert qui n'a pas été demandée")
def wrong_syntax(enduring: Enduring) -> None:
    """Implicit VR Little Endian."""
    enduring.ask_under([Rudeness(words="Implicit VR", kind="syntaxe")])


@when("la Source rend des objets d'une SOP Class privée")
def wrong_sop_class(enduring: Enduring) -> None:
    """Which no PACS has heard of."""
    enduring.ask_under([Rudeness(words="SOP Class privée", kind="sop-class")])


@when(parsers.parse("la Source rend des fichiers piégés d'un examen par piège : {traps}"))
def trapped_files(enduring: Enduring, traps: str) -> None:
    """Made of true images, an exam for each."""
    enduring.ask_trapped(
        [Rudeness(words=one, kind="piege", values={"fichier": _TRAPS[one]}) for one in _list(traps)]
    )


@when("la Source rend une image sans fin")
def endless(enduring: Enduring) -> None:
    """Several times what the Consumer takes."""
    enduring.ask_for_endless(Rudeness(words="image sans fin", kind="sans-fin"))


@when("la Source rend cet examen octet par octet, pendant qu'un autre examen lui est demandé")
def slow(enduring: Enduring) -> None:
    """Then goes on at its usual pace."""
    enduring.ask_while_slow()


@when(parsers.re(r"chacun de ces examens est demandé : (?P<exams>.+)"))
def each_asked(enduring: Enduring, exams: str) -> None:
    """One export each."""
    enduring.ask_each(_list(exams))


@then("aucun jeton ne part vers la Source")
def no_request(enduring: Enduring) -> None:
    """Not even a request."""
    enduring.expect_no_request()


@then("aucun jeton ne part vers un autre hôte ni en clair")
def nothing_elsewhere(enduring: Enduring) -> None:
    """Neither to the stranger, nor without TLS."""
    enduring.expect_nothing_elsewhere()


@then("la page dit chaque fois que l'export a échoué")
def each_failed(enduring: Enduring) -> None:
    """A message of failure."""
    enduring.expect_each_failed()


@then(parsers.re(r"les messages disent, dans l'ordre : (?P<classes>.+)"))
def each_said(enduring: Enduring, classes: str) -> None:
    """The classes of DB.VI-CO.27."""
    enduring.expect_said([_SAID[one] for one in _list(classes)])


@then("rien de cet examen n'est dans le PACS local")
def none_stored(enduring: Enduring) -> None:
    """Whatever was answered."""
    enduring.expect_none_stored()


@then("le PACS local n'a que des images du KOS, et rien d'incomplet n'est dit terminé")
def only_referenced(enduring: Enduring) -> None:
    """Nothing foreign, nothing falsely whole."""
    enduring.expect_only_referenced()


@then("chaque examen est entier dans le PACS local, ou dit en échec")
def each_alone(enduring: Enduring) -> None:
    """The trap of one takes no other with it."""
    enduring.expect_each_alone()


@then("aucune page ne porte de balise venue d'un fichier")
def no_markup(enduring: Enduring) -> None:
    """What a file says is shown as text."""
    enduring.expect_no_markup()


@then("la réponse sans fin est coupée")
def cut(enduring: Enduring) -> None:
    """By the Consumer."""
    enduring.expect_cut()


@then("l'autre examen est exporté sans attendre")
def others_served(enduring: Enduring) -> None:
    """Before the slow one."""
    enduring.expect_others_served()


@then("l'examen lent arrive entier quand la Source a repris son rythme")
def slow_arrives(enduring: Enduring) -> None:
    """Patience is rewarded."""
    enduring.expect_whole()


@then("la Source donne encore l'examen d'un autre patient")
def still_gives(enduring: Enduring) -> None:
    """The positive twin that follows."""
    enduring.expect_still_gives()


@then("l'examen s'exporte quand la Source est redevenue normale")
def recovered(enduring: Enduring) -> None:
    """The positive twin that follows."""
    enduring.expect_recovered()
