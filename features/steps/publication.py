"""Quand le RIS envoie, alors la Source publie, ou non."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from bench.imagery import load_exam
from bench.publishing import Publishing
from simulators.ris.messages import Options, Steering


@given("un DMP arrêté")
def dmp_down(publishing: Publishing) -> None:
    """Connections are refused."""
    publishing.stop_dmp()


@when("le RIS envoie le compte rendu")
def send(publishing: Publishing) -> None:
    """ORU^R01 over MLLP."""
    publishing.send()


@when("le RIS envoie le même compte rendu une seconde fois")
def send_again(publishing: Publishing) -> None:
    """The same bytes."""
    publishing.deliver()


@when(
    parsers.re(
        r"le RIS envoie le compte rendu avec ORC-1 « (?P<control>\w+) »"
        r" et OBX-11 « (?P<status>\w) »"
    )
)
def send_incoherent(publishing: Publishing, control: str, status: str) -> None:
    """Two fields that must agree."""
    publishing.send(Options(order_control=control, result_status=status))


@when("le RIS envoie le compte rendu dans une version de HL7 et du volet qui n'existe pas")
def send_in_unknown_version(publishing: Publishing) -> None:
    """MSH-12 and MSH-21: ACK AE, ERR 203."""
    publishing.send_in_version("2.99", "9.0^CISIS_CDA_HL7_V9")


@when("le RIS envoie le compte rendu sans le destiner au DMP")
def send_not_for_dmp(publishing: Publishing) -> None:
    """MetaDMPMSS DESTDMP = N."""
    publishing.send(Options(steering=Steering(destdmp=False)))


@when("les images arrivent dans le PACS et le RIS renvoie le compte rendu")
def images_at_last(publishing: Publishing) -> None:
    """As the alert asks, in a new message."""
    load_exam(publishing.story.archive, publishing.story.exams[0], publishing.story.patient)
    publishing.send()


@when("le DMP redémarre après un premier échec de la Source")
def dmp_back(publishing: Publishing) -> None:
    """Same port, same state."""
    publishing.restart_dmp_after_failure()


@then(parsers.parse("la Source acquitte par {code}"))
def acknowledged(publishing: Publishing, code: str) -> None:
    """MSA-1."""
    publishing.expect_ack(code)


@then(parsers.re(r"la Source interroge le PACS (?P<count>\d+) fois"), converters={"count": int})
def queried(publishing: Publishing, count: int) -> None:
    """Distinct studies asked by C-FIND."""
    publishing.expect_queries(count)


@then(parsers.re(r"(?P<count>\d+) KOS (est|sont) publiés? dans le DMP"), converters={"count": int})
def published(publishing: Publishing, count: int) -> None:
    """Accepted ITI-41, that many and no more."""
    publishing.expect_published(count)


@then("chaque KOS référence exactement les images de son examen")
def contents(publishing: Publishing) -> None:
    """Evidence against the PACS."""
    publishing.expect_contents()


@then("le KOS n'est publié que si l'option « without_dmp » du profil le veut")
def as_option(publishing: Publishing) -> None:
    """`stop` or `publish`."""
    publishing.expect_without_dmp()


@then("chaque objet du KOS est référencé selon sa nature")
def kinds(publishing: Publishing) -> None:
    """IMAGE, WAVEFORM, COMPOSITE."""
    publishing.expect_kinds()


@then("chaque KOS porte la demande de son examen, et elle seule")
def orders(publishing: Publishing) -> None:
    """Accession and order number."""
    publishing.expect_orders()


@then("aucun KOS n'est publié")
def nothing_published(publishing: Publishing) -> None:
    """Judged by a sentinel."""
    publishing.expect_nothing_published()


@then("aucun autre KOS n'est publié")
def nothing_more(publishing: Publishing) -> None:
    """Judged by a sentinel."""
    publishing.expect_no_more()


@then("la Source ne prend pas ce message en compte")
def not_taken(publishing: Publishing) -> None:
    """AE, AR, or no effect."""
    publishing.expect_not_taken()


@then("l'administrateur est alerté")
def alerted(publishing: Publishing) -> None:
    """On the box's administration page."""
    publishing.expect_alert()


@then("l'échec est tracé avec sa raison")
def failure_traced(publishing: Publishing) -> None:
    """EventOutcomeDescription."""
    publishing.expect_failure_traced()


@then("la réception est tracée")
def reception_traced(publishing: Publishing) -> None:
    """A RAD-128 audit event."""
    publishing.expect_reception_traced()


@then("la publication est tracée")
def publication_traced(publishing: Publishing) -> None:
    """An ITI-41 audit event."""
    publishing.expect_publication_traced()


@then("l'archive de la Source contient le KOS publié et l'identifiant du compte rendu")
def archived(publishing: Publishing) -> None:
    """The local store."""
    publishing.expect_archived()


@then("le DMP détient exactement 1 KOS pour chaque examen")
def held_once(publishing: Publishing) -> None:
    """Neither lost nor doubled."""
    publishing.expect_held_once()
