"""`drimbench pki`: a folder of test certificates, right and wrong; one shown, one taken back."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

if TYPE_CHECKING:
    from cryptography import x509

    from simulators.igc import Pki

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["pki"]

pki = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Certificats de test : un dossier de bons et de mauvais, leur lecture, leur révocation.",
)

_CRL = "http://igc.drimbench.test/CRL/KIT-ACI-EL-ORG.crl"
_SERIAL = re.compile("[0-9a-fA-F:]{16,60}")
"""Twenty octets at most (RFC 5280 4.1.2.2), perhaps with colons; ours are drawn, never short."""
_NO_REASON = ("unspecified", "removeFromCRL")
_PASSWORD = b"drimbench"
"""Of the PKCS#12 files, as those of `drimbench serve`: they hold test keys."""

Folder = Annotated[Path, typer.Argument(help="Dossier : celui de [world] pki, ou un autre.")]
Json = Annotated[bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")]


@pki.command()
def make(
    folder: Folder,
    cn: Annotated[str, typer.Option(help="CN des certificats.")] = "db900.drimbench.test",
    ou: Annotated[
        str, typer.Option(help="Identifiant national de la structure (OU).")
    ] = "300000000000001",
    crl: Annotated[
        str, typer.Option(help="Adresse HTTP de la CRL, écrite dans les certificats.")
    ] = _CRL,
    as_json: Json = False,
) -> None:
    """Écrit les autorités de test et un certificat de chaque sorte, bonne et mauvaise.

    Chacun en PEM (feuille et chaîne), clé et PKCS#12 (mot de passe : drimbench). Les autorités que
    le dossier a déjà servent encore.

    [bold]Exemples[/bold]

    drimbench pki make pki/

    drimbench pki make pki/ --cn db154.test.mesimagesmedicales.fr --ou 10B0127189 --json
    """
    from simulators.igc import revoked
    from simulators.igc.authorities import PRODUCTION
    from simulators.igc.specimens import SPECIMENS, Structure

    authorities = _authorities(folder, crl)
    try:
        # Private keys: nobody else's, and nothing to commit.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / ".gitignore").write_text("*\n")
        authorities.write(folder)
        (folder / "production-trust.pem").write_bytes(authorities.bundle_pem(PRODUCTION))
        written = []
        for one in SPECIMENS:
            credential = one.make(authorities, Structure(cn=cn, ou=ou))
            credential.write(folder, one.name)
            (folder / f"{one.name}.p12").write_bytes(credential.pkcs12(one.name, _PASSWORD))
            if one.revoked:
                revoked.add(folder, credential.certificate.serial_number, datetime.now(UTC))
            written.append(
                {
                    "name": one.name,
                    "title": one.title,
                    "profile": one.profile,
                    "right": one.right,
                    "serial": f"{credential.certificate.serial_number:x}",
                }
            )
        _write_crls(folder, authorities)
    except (OSError, ValueError) as error:
        refuse(f"{folder} : {error}")
    if as_json:
        print_json({"folder": str(folder), "crl": crl, "certificates": written})
    else:
        table = Table("fichier", "ce que c'est", "une boîte l'admet")
        for row in written:
            table.add_row(str(row["name"]), str(row["title"]), "oui" if row["right"] else "non")
        Console().print(table)
    raise Finished(ExitCode.CONFORM)


@pki.command()
def show(
    file: Annotated[Path, typer.Argument(help="Certificat, PEM ou DER (le premier du fichier).")],
    profile: Annotated[
        str | None,
        typer.Option("--profil", help="org-auth-cli, org-sign, serv-ssl ou marche ; déduit sinon."),
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="Autorités (PEM) auxquelles il doit mener.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Décrit un certificat et le compare au gabarit qu'il suit. Code 1 s'il s'en écarte.

    [bold]Exemples[/bold]

    drimbench pki show client.pem

    drimbench pki show client.pem --profil org-auth-cli --trust pki/igc-trust.pem
    """
    from protocols.errors import RemoteProtocolError
    from protocols.pki import extended_key_usage, key_usage, read_certificate, server_names
    from simulators.igc.profiles import crl_address, ocsp_address
    from spec.certificates import PROFILES
    from validators.api import Context, validate
    from validators.finding import Severity

    try:
        data = file.read_bytes()
        certificate = read_certificate(data)
        told: dict[str, Any] = {
            "subject": certificate.subject.rfc4514_string(),
            "issuer": certificate.issuer.rfc4514_string(),
            "serial": f"{certificate.serial_number:x}",
            "begin": certificate.not_valid_before_utc.isoformat(),
            "end": certificate.not_valid_after_utc.isoformat(),
            "key_usage": sorted(key_usage(certificate)),
            "extended_key_usage": sorted(extended_key_usage(certificate)),
            "names": sorted(server_names(certificate)),
            "crl": crl_address(certificate),
            "ocsp": ocsp_address(certificate),
        }
        authorities = trust.read_bytes() if trust else b""
    except (OSError, RemoteProtocolError) as error:
        refuse(f"{file} : {error}")
    if profile is not None and profile not in PROFILES:
        refuse(f"--profil : un de {', '.join(PROFILES)} attendu, « {profile} » donné")
    claimed = profile or max(
        (
            name
            for name, one in PROFILES.items()
            if one.key_usage <= set(told["key_usage"])
            and one.extended_key_usage <= set(told["extended_key_usage"])
            and one.organisation == _is_organisation(certificate)
        ),
        key=lambda name: len(PROFILES[name].key_usage | PROFILES[name].extended_key_usage),
        default="",
    )
    context = Context(at=datetime.now(UTC), authorities=authorities, certificate_profile=claimed)
    report = validate(data, "certificat", context=context)
    findings = [one for one in report.findings if one.severity is not Severity.INFO]
    wrong = any(one.severity is Severity.ERROR for one in findings) or not claimed
    told |= {
        "profile": claimed,
        "findings": [
            {"rule": one.rule, "severity": str(one.severity), "message": one.message}
            for one in findings
        ],
    }
    if as_json:
        print_json(told)
    else:
        _tell(told)
    raise Finished(ExitCode.FAIL if wrong else ExitCode.CONFORM)


@pki.command()
def revoke(
    folder: Folder,
    which: Annotated[
        str, typer.Argument(help="Nom dans ce dossier, fichier PEM, ou numéro de série (hexa).")
    ],
    authority: Annotated[
        str, typer.Option("--autorite", help="Qui a émis ce numéro : igc, personnes…")
    ] = "igc",
    reason: Annotated[
        str, typer.Option("--motif", help="Motif de la RFC 5280 : keyCompromise, superseded…")
    ] = "keyCompromise",
    as_json: Json = False,
) -> None:
    """Révoque un certificat que les autorités du dossier ont émis, et récrit leurs CRL.

    Si « drimbench serve » sert ce dossier ([world] pki), CRL et OCSP le disent dès la demande
    suivante.

    [bold]Exemples[/bold]

    drimbench pki revoke pki/ org-auth-cli

    drimbench pki revoke pki/ client-consumer --motif cessationOfOperation --json

    drimbench pki revoke pki/ 3f9a07c2d1e04b5586a1 --autorite personnes
    """
    from cryptography import x509

    from simulators.igc import revoked
    from simulators.igc.authorities import AUTHORITIES

    reasons = {one.value: one for one in x509.ReasonFlags if one.value not in _NO_REASON}
    known = {one.name: one for one in AUTHORITIES}
    if reason not in reasons:
        refuse(f"--motif : un de {', '.join(reasons)} attendu, « {reason} » donné")
    if authority not in known:
        refuse(f"--autorite : une de {', '.join(known)} attendue, « {authority} » donnée")
    for one in ("igc", authority):
        if not (folder / f"ac-{one}.key").exists():
            refuse(f"{folder} : ac-{one}.pem et ac-{one}.key attendus (drimbench pki make)")
    try:
        subject, serial, authority, crl = _named(folder, which, authority)
        authorities = _authorities(folder, crl or _CRL)
        new = revoked.add(
            folder, serial, datetime.now(UTC), authority=authority, reason=reasons[reason]
        )
        written = _write_crls(folder, authorities)
    except (OSError, ValueError) as error:
        refuse(f"{folder} : {error}")
    told = {
        "serial": f"{serial:x}",
        "authority": authority,
        "new": new,
        "crl": str(written[authority]),
    }
    if as_json:
        print_json(told)
    else:
        said = "révoqué" if new else "l'était déjà"
        Console().print(f"{subject or 'certificat'} : {said} ({serial:x}).", markup=False)
    raise Finished(ExitCode.CONFORM)


def _named(folder: Path, which: str, authority: str) -> tuple[str, int, str, str]:
    """Subject, number, name of the authority and address of the CRL of the certificate meant; of a
    number alone, subject and address are ""."""
    from protocols.errors import RemoteProtocolError
    from protocols.pki import read_certificate
    from simulators.igc.authorities import ORGANISATIONS
    from simulators.igc.profiles import crl_address

    file = folder / f"{which}.pem"
    if not file.exists():
        file = Path(which)
    if not file.exists() and _SERIAL.fullmatch(which):
        serial = int(which.replace(":", ""), 16)
        kept = _of_number(folder, serial)
        if kept is None:
            return "", serial, authority, ""
        file = kept
    try:
        certificate = read_certificate(file.read_bytes())
    except RemoteProtocolError as error:
        refuse(f"{file} : {error}")
    issuer = _authorities(folder, _CRL).issuer_of(certificate)
    if issuer is None:
        refuse(f"{file} : émis par {certificate.issuer.rfc4514_string()}, pas par ce dossier")
    subject = certificate.subject.rfc4514_string()
    crl = crl_address(certificate) if issuer is ORGANISATIONS else ""
    return subject, certificate.serial_number, issuer.name, crl


def _of_number(folder: Path, serial: int) -> Path | None:
    """The file of the folder whose first certificate has this number."""
    from protocols.errors import RemoteProtocolError
    from protocols.pki import read_certificate

    for file in sorted(folder.glob("*.pem")):
        with suppress(OSError, RemoteProtocolError):
            if read_certificate(file.read_bytes()).serial_number == serial:
                return file
    return None


def _authorities(folder: Path, crl: str) -> Pki:
    from simulators.igc import Pki

    return Pki.create(clock=lambda: datetime.now(UTC), crl_url=crl, keep=folder)


def _write_crls(folder: Path, authorities: Pki) -> dict[str, Path]:
    """Authority -> its list, of each that the folder keeps."""
    from simulators.igc.authorities import AUTHORITIES

    written = {}
    for one in AUTHORITIES:
        if (folder / f"ac-{one.name}.key").exists():
            file = written[one.name] = folder / f"{one.published}.crl"
            file.write_bytes(authorities.crl(authority=one))
    return written


def _is_organisation(certificate: x509.Certificate) -> bool:
    from spec.certificates import PRODUCT_CATEGORY

    return any(one.oid.dotted_string == PRODUCT_CATEGORY for one in certificate.extensions)


def _tell(told: dict[str, Any]) -> None:
    from spec.certificates import PROFILES

    known = PROFILES.get(told["profile"])
    rows = {
        "sujet": told["subject"],
        "émetteur": told["issuer"],
        "numéro": told["serial"],
        "validité": f"{told['begin']} à {told['end']}",
        "keyUsage": ", ".join(told["key_usage"]) or "—",
        "extendedKeyUsage": ", ".join(told["extended_key_usage"]) or "—",
        "noms": ", ".join(told["names"]) or "—",
        "CRL": told["crl"] or "—",
        "OCSP": told["ocsp"] or "—",
        "gabarit": known.title if known else "aucun de ceux du réseau",
    }
    table = Table(show_header=False)
    for name, value in rows.items():
        table.add_row(name, value)
    console = Console()
    console.print(table)
    for one in told["findings"]:
        console.print(f"{one['rule']} : {one['message']}", markup=False)
