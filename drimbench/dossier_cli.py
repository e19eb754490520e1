"""`drimbench pack` and `drimbench verify`: the sealed dossier of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse
from reports.words import plural

if TYPE_CHECKING:
    from cryptography import x509

    from reports.dossier.packing import Sealing, Stamp
    from reports.dossier.verifying import Verification

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["pack", "verify"]

Runs = Annotated[Path, typer.Option(help="Dossier des campagnes.")]
Json = Annotated[bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")]
_WHICH = "Dossier, nom ou début de nom d'une campagne ; @1 : la dernière, @2 : celle d'avant…"
_STAMP_DEADLINE_S = 30.0
_MAX_STAMP = 256 * 1024


class Purpose(StrEnum):
    """The values of `--for`: those of `reports.dossier.packing.Shape`."""

    REFERENCING = "referencement"
    VERSION = "version"


def pack(
    run: Annotated[str, typer.Argument(help=_WHICH)] = "@1",
    purpose: Annotated[
        Purpose,
        typer.Option("--for", help="Premier référencement, ou nouvelle version du produit."),
    ] = Purpose.REFERENCING,
    since: Annotated[
        str,
        typer.Option(help="La campagne de la version référencée, avec --for version."),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Le dossier (dossier-CAMPAGNE.zip par défaut)."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Clé privée de signature, PEM (RSA ou EC P-256).")
    ] = None,
    cert: Annotated[
        Path | None, typer.Option(help="Son certificat, PEM, suivi de ceux de ses autorités.")
    ] = None,
    tsa: Annotated[
        str, typer.Option(help="Adresse d'une autorité d'horodatage RFC 3161 ; sans elle, aucun.")
    ] = "",
    patients: Annotated[
        Path | None,
        typer.Option(
            help="Patients de test que la campagne ne nomme pas : un nom de famille ou un "
            "matricule INS par ligne."
        ),
    ] = None,
    runs: Runs = Path("runs"),
    as_json_: Json = False,
) -> None:
    """Fait d'une campagne un dossier de preuves scellé.

    Une page par preuve, rangée par chapitre et exigence ; ce qui a circulé, secrets masqués ; le
    rapport ; les pièces jointes ; un manifeste des empreintes SHA-256, signé et horodaté. Rien
    n'est écrit si un jeton, une clé privée ou une personne qui n'est pas un patient de test s'y
    trouve : le refus dit où. La campagne est alors close : décisions, pièces et rejugements lui
    sont refusés.

    [bold]Exemples[/bold]

    drimbench pack                                 la dernière campagne, sans signature

    drimbench pack @1 -o dossier.zip --key signature.key --cert signature.pem

    drimbench pack @1 --for version --since runs/20260101T000000Z-aaaa

    drimbench pack @1 --key s.key --cert s.pem --tsa http://127.0.0.1:8090/tsa

    Codes de sortie : 0 écrit, 1 refusé par le contrôle de contenu, 64 usage.
    """
    from bench.runs import find_run
    from reports.dossier.packing import LeakError
    from reports.dossier.packing import pack as write

    console = Console(stderr=True)
    try:
        folder = find_run(run, runs)
        if (purpose is Purpose.VERSION) != bool(since):
            raise BenchError("--for version et --since CAMPAGNE vont ensemble")
        target = output or Path(f"dossier-{folder.resolve().name}.zip")
        with console.status("dossier") as status:
            packed = write(
                folder,
                target,
                _sealing(key, cert, tsa),
                referenced=find_run(since, runs) if since else None,
                patients=_patients(patients),
                progress=lambda done, name: status.update(f"{plural(done, 'fichier')}, {name}"),
            )
    except LeakError as error:
        if as_json_:
            print_json({"dossier": None, "leaks": [_leak(leak) for leak in error.leaks]})
        else:
            console.print(str(error), highlight=False, markup=False, soft_wrap=True)
        raise Finished(ExitCode.FAIL) from None
    except (BenchError, OSError) as error:
        refuse(str(error))
    manifest = packed.manifest
    if as_json_:
        print_json(
            {
                "dossier": str(packed.path),
                "run": manifest.run,
                "shape": manifest.shape,
                "files": len(manifest.files),
                "manifest_sha256": packed.sha256,
                "signed": manifest.signed,
                "stamped": manifest.stamped,
                "missing": list(packed.missing),
                "leaks": [],
            }
        )
        return
    told = ["signé" if manifest.signed else "non signé"]
    told.append("horodaté" if manifest.stamped else "non horodaté")
    for line in (
        f"{packed.path} : {plural(len(manifest.files), 'fichier')}, {', '.join(told)}",
        f"manifeste sha256 {packed.sha256}",
        f"{plural(len(packed.missing), 'preuve')} sans rien encore (sommaire.html les nomme)",
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def verify(
    dossier: Annotated[Path, typer.Argument(help="Dossier écrit par drimbench pack.")],
    trust: Annotated[
        list[Path] | None,
        typer.Option(help="Autorités du signataire et de l'horodatage (PEM) ; répétable."),
    ] = None,
    at: Annotated[
        str, typer.Option(help="Instant du contrôle, ISO 8601 avec son fuseau ; maintenant sinon.")
    ] = "",
    as_json_: Json = False,
) -> None:
    """Dit si un dossier est tel qu'il a été scellé, et sinon ce qui a été altéré.

    Octet modifié, fichier retiré, ajouté ou échangé, manifeste refait, signature, horodatage : la
    campagne n'est pas nécessaire. Un dossier intact mais non signé, non horodaté, ou contrôlé sans
    --trust reste ouvert.

    [bold]Exemples[/bold]

    drimbench verify dossier.zip

    drimbench verify dossier.zip --trust autorites.pem --json

    Codes de sortie : 0 intact, 1 altéré, 2 intact mais quelque chose n'est pas établi, 64 usage.
    """
    from drimbench.given import instant_of
    from reports.dossier.verifying import verify as check

    try:
        when = instant_of(at) if at else datetime.now(UTC)
        found = check(dossier, roots=_roots(trust or ()), at=when)
    except BenchError as error:
        refuse(str(error))
    if as_json_:
        print_json(found.as_dict())
    else:
        _show(found, dossier, Console())
    if found.faults:
        raise Finished(ExitCode.FAIL)
    raise Finished(ExitCode.OPEN if found.left else ExitCode.CONFORM)


def _show(found: Verification, dossier: Path, console: Console) -> None:
    from protocols.pki import dn
    from reports.words import moment

    lines = [f"{dossier} : {found.verdict}"]
    if found.manifest is not None:
        count = plural(len(found.manifest.files), "fichier")
        lines.append(f"campagne {found.manifest.run}, {count}")
    if found.signer is not None:
        lines.append(f"signé par {dn(found.signer)}")
    if found.stamp is not None:
        lines.append(f"horodaté le {moment(found.stamp.instant)} par {dn(found.stamp.signer)}")
    lines += [f"✗ {' : '.join(filter(None, (one.file, one.message)))}" for one in found.faults]
    lines += [f"? {one}" for one in found.left]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _leak(leak: object) -> dict[str, object]:
    from reports.dossier.scan import Leak

    assert isinstance(leak, Leak)
    return {
        "file": leak.file,
        "line": leak.line,
        "offset": leak.offset,
        "kind": leak.kind.value,
        "shown": leak.shown,
    }


def _sealing(key: Path | None, cert: Path | None, tsa: str) -> Sealing:
    from reports.dossier.packing import Sealing
    from reports.dossier.seal import read_signer

    if (key is None) != (cert is None):
        raise BenchError("--key et --cert vont ensemble")
    signer = None
    if key is not None and cert is not None:
        signer = read_signer(_bytes(key), _bytes(cert))
    return Sealing(signer=signer, stamp=_stamper(tsa) if tsa else None)


def _stamper(url: str) -> Stamp:
    """Asks an authority, and refuses what is no time stamp of what was asked."""
    import hashlib
    import secrets

    import httpx

    from protocols.timestamp import REPLY_TYPE, REQUEST_TYPE, TimestampError, timestamp_request
    from protocols.timestamp import check_reply as check

    def stamp(data: bytes) -> bytes:
        nonce = secrets.randbits(63)
        asked = timestamp_request(hashlib.sha256(data).digest(), nonce=nonce)
        try:
            answer = httpx.post(
                url,
                content=asked,
                headers={"Content-Type": REQUEST_TYPE, "Accept": REPLY_TYPE},
                timeout=_STAMP_DEADLINE_S,
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise BenchError(f"--tsa {url} : {type(error).__name__} : {error}") from None
        if answer.status_code != 200:
            raise BenchError(f"--tsa {url} : réponse {answer.status_code}, 200 attendue")
        try:
            check(answer.content, data, nonce=nonce)
        except TimestampError as error:
            raise BenchError(f"--tsa {url} : {error}") from None
        return answer.content

    return stamp


def _patients(file: Path | None) -> frozenset[str]:
    if file is None:
        return frozenset()
    try:
        lines = _bytes(file).decode().splitlines()
    except UnicodeDecodeError:
        raise BenchError(f"{file} : texte UTF-8 attendu") from None
    return frozenset(line.strip().upper() for line in lines if line.strip())


def _roots(files: list[Path] | tuple[()]) -> list[x509.Certificate]:
    from cryptography import x509

    found = []
    for file in files:
        try:
            found += x509.load_pem_x509_certificates(_bytes(file))
        except ValueError:
            raise BenchError(f"--trust {file} : certificats PEM attendus") from None
    return found


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BenchError(f"{file} : illisible ({error.strerror})") from None
