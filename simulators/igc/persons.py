"""Certificates of persons: what a professional signs with, and what a CPx card shows.

Profiles were read from public test certificates (grade `sample`): usages, policy, alternative name,
title, and name, forename and number in one part of the subject. The two extensions of cards
`1.2.250.1.71.1.2.2` and `.3` are left out: their content was not described.

No service of the network takes them for an organisation's: they are here to be refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from protocols import der
from simulators.igc import profiles
from simulators.igc.authorities import PERSONS, STANDARD_PERSONS
from simulators.igc.credential import Credential
from simulators.igc.pki import Extensions, Pki

__all__ = ["PERSON", "Person", "card", "signature"]

_TEST_CARD = b"\x04\x01\x80"
"""TRE_G01-CategorieProduit 80, test card."""
_PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A professional of test: RPPS number, and name."""

    number: str
    family_name: str
    forename: str
    title: str

    @property
    def subject(self) -> x509.Name:
        """`C`, `title`, then name, forename and number in one part."""
        attribute = x509.NameAttribute
        return x509.Name(
            [
                x509.RelativeDistinguishedName([attribute(NameOID.COUNTRY_NAME, "FR")]),
                x509.RelativeDistinguishedName([attribute(NameOID.TITLE, self.title)]),
                x509.RelativeDistinguishedName(
                    [
                        attribute(NameOID.COMMON_NAME, self.number),
                        attribute(NameOID.SURNAME, self.family_name),
                        attribute(NameOID.GIVEN_NAME, self.forename),
                    ]
                ),
            ]
        )


PERSON = Person(number="899700000014", family_name="KIT", forename="CLAUDE", title="Médecin")


def signature(pki: Pki, person: Person, key: rsa.RSAPrivateKey | None = None) -> Credential:
    """What a professional signs with, by the elementary authority of persons."""
    mail = x509.RFC822Name(f"{person.number}@drimbench.test")
    extensions = _extensions(
        profiles.key_usage(content_commitment=True),
        [ExtendedKeyUsageOID.EMAIL_PROTECTION],
        mail,
        profiles.TEST_SOFTWARE_CERTIFICATE,
    )
    return pki.issue(PERSONS, person.subject, extensions, key=key)


def card(pki: Pki, person: Person, key: rsa.RSAPrivateKey | None = None) -> Credential:
    """What a CPx card authenticates by, under the standard range."""
    name = der.tlv(der.UTF8_STRING, f"{person.number}@carte-cps.fr".encode())
    extensions = _extensions(
        profiles.key_usage(digital_signature=True),
        [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SMARTCARD_LOGON],
        x509.OtherName(_PRINCIPAL_NAME, name),
        _TEST_CARD,
    )
    return pki.issue(STANDARD_PERSONS, person.subject, extensions, key=key)


def _extensions(
    usage: x509.KeyUsage,
    purposes: list[x509.ObjectIdentifier],
    name: x509.GeneralName,
    category: bytes,
) -> Extensions:
    def made(
        public_key: rsa.RSAPublicKey,
        issuer_key: rsa.RSAPublicKey,
        addresses: profiles.Addresses | None,
    ) -> list[profiles.Extension]:
        return [
            *profiles.leaf_extensions(
                public_key, issuer_key, addresses, usage=usage, purposes=purposes, category=category
            ),
            (x509.SubjectAlternativeName([name]), False),
        ]

    return made
