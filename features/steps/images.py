"""Quand une DRIMbox demande des images, alors la Source les rend, ou les refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_bdd import given, parsers, then, when

from bench.imagery import load_exam
from bench.imaging import Imaging
from bench.publishing import Publishing
from bench.resources import Resources
from bench.story import PlannedExam, Story
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR = "1.2.840.10008.1.2.4.81"


@pytest.fixture
def imaging(story: Story, publishing: Publishing) -> Imaging:
    """A DRIMbox that asks for images."""
    return Imaging(story, publishing)


@pytest.fixture
def resources(imaging: Imaging) -> Resources:
    """What else it asks for."""
    return Resources(imaging)


def _publish(imaging: Imaging, modality: str, series: int, syntax: str) -> PlannedExam:
    exam = imaging.story.plan(modality, series, transfer_syntax=syntax)
    load_exam(imaging.story.archive, exam, imaging.story.patient)
    imaging.publish(exam)
    return exam


@given(
    parsers.re(r"un examen (?P<modality>CT|MR) de (?P<series>\d+) séries? publié"),
    converters={"series": int},
)
def published_exam(imaging: Imaging, modality: str, series: int) -> None:
    """In the PACS and in the DMP."""
    _publish(imaging, modality, series, EXPLICIT_VR_LITTLE_ENDIAN)


@given(parsers.re(r"un examen fait de vraies images (?P<modality>CT|MR) publié"))
def published_real(imaging: Imaging, modality: str) -> None:
    """The files that ship with pydicom: what real equipment writes."""
    exam = imaging.story.plan(modality, 1, real=True)
    load_exam(imaging.story.archive, exam, imaging.story.patient)
    imaging.publish(exam)


@given("un examen MR en Implicit VR Little Endian publié")
def published_implicit(imaging: Imaging) -> None:
    """As an old modality stores it."""
    _publish(imaging, "MR", 1, IMPLICIT_VR_LITTLE_ENDIAN)


@given("un examen CT compressé en JPEG-LS publié")
def published_compressed(imaging: Imaging) -> None:
    """Lossless."""
    _publish(imaging, "CT", 1, JPEG_LS)


@given("un examen CT compressé en JPEG-LS presque sans perte publié")
def published_near_lossless(imaging: Imaging) -> None:
    """In a syntax that archives keep and DRIMboxes do not ask for."""
    _publish(imaging, "CT", 1, JPEG_LS_NEAR)


@given("la seconde série a déjà été rendue une fois")
def seen_already(resources: Resources) -> None:
    """What a cache would keep."""
    resources.serve_second_series()


@given("le PACS ne montre plus une image de la seconde série")
def rejected(resources: Resources) -> None:
    """Without notice."""
    resources.reject_image()


@when("une DRIMbox de la liste blanche demande une seule image de la première série")
def ask_one_image(resources: Resources) -> None:
    """At instance level."""
    resources.ask_one_image()


@when("une DRIMbox de la liste blanche demande cette image")
def ask_rejected_image(resources: Resources) -> None:
    """Still in the KOS."""
    resources.ask_rejected_image()


@when("une DRIMbox de la liste blanche demande la première série de préférence sans compression")
def ask_uncompressed(resources: Resources) -> None:
    """Explicit VR Little Endian has the largest q."""
    resources.ask_preferring(EXPLICIT_VR_LITTLE_ENDIAN)


@when("une DRIMbox de la liste blanche demande la première série par un Accept d'une seule ligne")
def ask_in_one_line(resources: Resources) -> None:
    """A trailing comma, any boundary."""
    resources.ask_in_one_line()


@when("une DRIMbox de la liste blanche demande cinq séries en même temps")
def ask_together(resources: Resources) -> None:
    """On five connections."""
    resources.ask_together()


@when("une DRIMbox de la liste blanche demande la première série")
def ask(imaging: Imaging) -> None:
    """In every rule."""
    imaging.ask()


@when("une DRIMbox de la liste blanche demande les capacités du service")
def ask_capabilities(imaging: Imaging) -> None:
    """OPTIONS, without token."""
    imaging.ask_capabilities()


@when("une DRIMbox de la liste blanche demande la première série sans jeton")
def ask_without_token(imaging: Imaging) -> None:
    """No Authorization header."""
    imaging.ask_wrongly(manners=replace(imaging.good_manners(), token=None))


@when("une DRIMbox de la liste blanche demande la première série avec un jeton forgé")
def ask_with_forged_token(imaging: Imaging) -> None:
    """Right claims, another key."""
    token = imaging.token(forged=True)
    imaging.ask_wrongly(manners=replace(imaging.good_manners(), token=token))


@when("une DRIMbox de la liste blanche demande la première série avec un jeton expiré")
def ask_with_expired_token(imaging: Imaging) -> None:
    """Made expired: no clock is moved."""
    token = imaging.token(expired=True)
    imaging.ask_wrongly(manners=replace(imaging.good_manners(), token=token))


@when("une DRIMbox de la liste blanche demande la première série avec un jeton de rafraîchissement")
def ask_with_refresh_token(imaging: Imaging) -> None:
    """Active for PSC, but typ is Refresh."""
    token = imaging.token(typ="Refresh")
    imaging.ask_wrongly(manners=replace(imaging.good_manners(), token=token))


@when(
    "une DRIMbox de la liste blanche demande la première série pour un professionnel non autorisé"
)
def ask_for_outsider(imaging: Imaging) -> None:
    """A pharmacist, rightly authenticated."""
    token = imaging.token(reader=imaging.story.bed.site.outsider)
    imaging.ask_wrongly(manners=replace(imaging.good_manners(), token=token))


@when("une DRIMbox de la liste blanche demande une série d'un examen jamais publié")
def ask_unknown_study(imaging: Imaging) -> None:
    """A study of the PACS without report."""
    story = imaging.story
    exam = story.plan("CT")
    load_exam(story.archive, exam, story.patient)
    imaging.ask_wrongly(study=exam.study_uid, series=exam.series[0].uid)


@when("une DRIMbox de la liste blanche demande la première série avec un identifiant de KOS périmé")
def ask_with_stale_kos(imaging: Imaging) -> None:
    """Not the KOS in force."""
    imaging.ask_wrongly(manners=imaging.stale_manners())


@when("une DRIMbox de la liste blanche demande une série du PACS que le KOS ne référence pas")
def ask_series_outside_kos(imaging: Imaging) -> None:
    """Added to the study after publication, without notice."""
    imaging.ask_wrongly(series=imaging.add_series())


@when("une DRIMbox absente de la liste blanche demande la première série")
def ask_unlisted(imaging: Imaging) -> None:
    """A right certificate whose DN is not listed."""
    imaging.ask_wrongly(papers=imaging.story.bed.papers.rogues["unlisted"])


@when("une DRIMbox dont le certificat est révoqué demande la première série")
def ask_revoked(imaging: Imaging) -> None:
    """Under a name of the list; the CRL that it points at has its serial number."""
    imaging.ask_wrongly(papers=imaging.story.bed.papers.rogues["revoked"])


@when("une DRIMbox dont le certificat vient d'une autre autorité demande la première série")
def ask_from_another_authority(imaging: Imaging) -> None:
    """The listed DN, issued by the market authority."""
    imaging.ask_wrongly(papers=imaging.story.bed.papers.rogues["market"])


@when("une DRIMbox sans certificat client demande la première série")
def ask_without_certificate(imaging: Imaging) -> None:
    """No client certificate."""
    imaging.ask_wrongly(without_papers=True)


@then("la Source rend toutes les images de la série et rien d'autre")
def served(imaging: Imaging) -> None:
    """200, complete, each instance once."""
    imaging.expect_series()


@then("la demande est refusée, entre deux demandes conformes acceptées")
def refused(imaging: Imaging) -> None:
    """4xx or handshake, between two positive twins."""
    imaging.expect_refused()


@then("la Source a fait vérifier le jeton par Pro Santé Connect")
def introspected(imaging: Imaging) -> None:
    """An introspection that names our token."""
    imaging.expect_introspected()


@then("chaque image porte l'INS du patient dans OtherPatientIDsSequence")
def stamped(imaging: Imaging) -> None:
    """Matricule and OID."""
    imaging.expect_ins()


@then("rien d'autre n'est modifié dans les images")
def unaltered(imaging: Imaging) -> None:
    """Element by element against the PACS."""
    imaging.expect_unaltered()


@then("chaque image est en Explicit VR Little Endian")
def explicit(imaging: Imaging) -> None:
    """Said and used."""
    imaging.expect_syntax(EXPLICIT_VR_LITTLE_ENDIAN)


@then("chaque image est en JPEG-LS sans perte")
def compressed(imaging: Imaging) -> None:
    """Said and used."""
    imaging.expect_syntax(JPEG_LS)


@then("l'accès est tracé")
def traced(imaging: Imaging) -> None:
    """An ITI-43 like audit event."""
    imaging.expect_traced()


@then("la Source décrit son service")
def described(imaging: Imaging) -> None:
    """WADL or JSON."""
    imaging.expect_capabilities()


@then("la Source rend cette image et rien d'autre")
def one_image(resources: Resources) -> None:
    """200, one part."""
    resources.expect_one_image()


@then("chaque image est dans une syntaxe de transfert que la demande admet")
def accepted_syntaxes(resources: Resources) -> None:
    """One of the ten."""
    resources.expect_accepted_syntaxes()


@then("chaque demande reçoit sa série, entière et seule")
def each_its_own(resources: Resources) -> None:
    """Five complete answers."""
    resources.expect_each_its_own()


@then("l'examen entier, les métadonnées et les images annoncés sont servis")
def announced(resources: Resources) -> None:
    """Judged only when claimed."""
    resources.expect_announced()
