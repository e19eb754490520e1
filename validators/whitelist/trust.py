"""White list: its signer is trusted, and in force at the instant of judgement."""

from __future__ import annotations

from datetime import timedelta

from spec.grade import Grade, Reference
from validators.certificates import in_force, trusted
from validators.examples import trust
from validators.examples import whitelist as example
from validators.examples.credential import NOW
from validators.rule import Broken
from validators.whitelist.reading import ListArtefact
from validators.whitelist.rules import WHITE_LIST, Findings, instant

__all__: list[str] = []

_KEY = "//Signature/KeyInfo"


@WHITE_LIST.rule(
    "LB-060",
    "Le certificat du signataire mène à une autorité de confiance",
    reference=Reference("RFC 5280", "6.1", Grade.STANDARD),
    given=trust.LIST_TRUST,
    bad=lambda: example.white_list(signer="Inconnu"),
)
def signer_trusted(listed: ListArtefact) -> Findings:
    for signature in listed.signatures:
        yield from trusted(signature, listed.context, _KEY)


@WHITE_LIST.rule(
    "LB-061",
    "Le certificat du signataire est en cours de validité, et la liste n'est pas à venir",
    reference=Reference("RFC 5280", "4.1.2.5", Grade.STANDARD),
    given=trust.AT,
    bad=lambda: example.white_list(generated=NOW + timedelta(days=1)),
)
def current(listed: ListArtefact) -> Findings:
    at = listed.context.at
    for signature in listed.signatures:
        yield from in_force(signature, at, _KEY)
    made = instant(listed.text("DateDeGeneration"))
    if at is not None and made is not None and made > at:
        yield Broken(
            message="La liste est générée après cet instant.",
            expected=f"<= {at.isoformat()}",
            actual=made.isoformat(),
            where="//DateDeGeneration",
        )
