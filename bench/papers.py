"""Every certificate of the bed, issued for it or kept from one run to the next.

Kept, a product is configured once: what a folder holds is used again as long as the authorities
of the same folder vouch for it, and is issued anew otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.certificates import Certificates
from bench.site import Site
from protocols.dn import attribute, dn
from protocols.pki import server_names
from simulators.ans import Other
from simulators.igc import Credential, CredentialFiles, Pki, pem, read_key, write_key
from wire.http_faults import Shown

__all__ = ["Papers", "papers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Every certificate of the bed, on disk, and the DNs that the white list names."""

    directory: Path
    pki: Pki
    igc_trust: Path
    market_trust: Path
    """The bench's authorities, which are handed over."""
    client_trust: Path
    server_trust: Path
    """Whom the bench itself believes: these, and the product's own when it has some."""
    servers: dict[str, CredentialFiles]
    """By host name."""
    clients: dict[str, CredentialFiles]
    """`source`, `counterpart`, `consumer`, `peer`, `source-psc`, `consumer-psc`, `api-psc`: ORG
    AUTH_CLI towards other boxes and PSC."""
    structures: dict[str, tuple[CredentialFiles, CredentialFiles]]
    """Struct_IdNat -> (AUTH_CLI, SIGN)."""
    dns: dict[str, str]
    ris: CredentialFiles
    """What the RIS shows to the DMP, and where reports are received over TLS: an ORG AUTH_CLI of
    its structure."""
    ris_sign: CredentialFiles
    """Its ORG SIGN, for what it publishes in the DMP."""
    rogues: dict[str, CredentialFiles]
    """`unlisted`: IGC, but not on the list; `market`: from the wrong authority; `revoked`: the
    neighbour's own name and authority, taken back."""
    wardrobe: dict[Shown, CredentialFiles]
    """What a rude Source shows in the place of its own server certificate."""
    psc_wardrobe: dict[Shown, CredentialFiles]
    """What PSC shows so."""
    list_signer: Credential
    list_others: dict[Other, Credential]
    """Who may sign the white list instead, on demand: `simulators.ans.faults`."""
    psc_key: rsa.RSAPrivateKey
    api_psc_key: rsa.RSAPrivateKey


def papers(
    pki: Pki,
    site: Site,
    directory: Path,
    structures: dict[str, tuple[str, str]],
    tapped: Iterable[str] = (),
    announced: str = "127.0.0.1",
    own: Certificates | None = None,
) -> Papers:
    """Issue everything, but what the folder holds already and the PKI vouches for.

    `structures` maps each Struct_IdNat to its name and to the CN of the box that speaks for it;
    `tapped` names the hosts of real neighbours that a tap is to be taken for; `announced` is the
    address by which servers are reached, which their certificates name as well; `own` is what the
    product shows that is not the bench's.

    Raises:
        OSError: the folder cannot be written.
        ValueError: what is the product's own cannot be used.
    """
    own = own or Certificates()
    trust, desk = pki.write(directory), _Desk(pki, directory)
    names = site.names
    clients = {
        "source": names.source,
        "counterpart": names.counterpart,
        "consumer": names.consumer_db,
        "peer": names.neighbour,
        "source-psc": site.source_client,
        "consumer-psc": site.consumer_client,
        "api-psc": site.api_psc_client,
    }
    shown = {
        name: desk.organisation(f"client-{name}", pki.auth_cli, cn, site.operator)
        for name, cn in clients.items()
    }
    rogues = {
        "unlisted": pki.auth_cli(names.stranger, site.operator, key=desk.key("rogue")),
        "market": pki.auth_cli(
            names.neighbour, site.operator, issuer="market", key=desk.key("rogue")
        ),
        "revoked": desk.organisation("rogue-revoked", pki.auth_cli, names.neighbour, site.operator)[
            0
        ],
    }
    # Before any box can ask for the CRL: one may be kept for days.
    pki.revoke(rogues["revoked"])
    hosts = (
        names.source,
        names.source_viewer,
        names.counterpart,
        names.consumer,
        names.neighbour,
        names.stranger,
        names.psc,
        names.api_psc,
        names.dmp,
        names.ans,
        *tapped,
    )
    return Papers(
        directory=directory,
        pki=pki,
        igc_trust=trust.igc_trust,
        market_trust=trust.market_trust,
        client_trust=_widened(trust.igc_trust, own.authorities("client_authorities")),
        server_trust=_widened(trust.market_trust, own.authorities("server_authorities")),
        servers={host: desk.server(host, announced) for host in hosts},
        clients={name: files for name, (_, files) in shown.items()},
        structures={
            structure: (
                desk.organisation(f"auth-{structure}", pki.auth_cli, cn, structure, o)[1],
                desk.organisation(f"sign-{structure}", pki.sign, cn, structure, o)[1],
            )
            for structure, (o, cn) in structures.items()
        },
        dns={
            **{name: credential.dn for name, (credential, _) in shown.items()},
            **{role: dn(one) for role in ("source", "consumer") if (one := own.shown(role))},
        },
        ris=desk.organisation(
            "client-ris", pki.auth_cli, site.ris_cn, site.structure.id, site.structure.name
        )[1],
        ris_sign=desk.organisation(
            "sign-ris", pki.sign, site.ris_cn, site.structure.id, site.structure.name
        )[1],
        rogues={
            name: credential.write(directory, f"rogue-{name}")
            for name, credential in rogues.items()
        },
        wardrobe=desk.wardrobe("serveur", names.neighbour, instead=names.stranger),
        psc_wardrobe=desk.wardrobe("psc", names.psc, announced, instead=names.stranger),
        list_signer=desk.organisation("liste", pki.sign, site.signer_cn, site.signer_ou)[0],
        list_others=_other_signers(pki, site, desk.key("rogue")),
        psc_key=desk.key("psc"),
        api_psc_key=desk.key("api-psc"),
    )


def _other_signers(pki: Pki, site: Site, key: rsa.RSAPrivateKey) -> dict[Other, Credential]:
    cn, ou = site.signer_cn, site.signer_ou
    others = {
        Other.NAME: pki.sign(f"{cn} bis", ou, key=key),
        Other.STRUCTURE: pki.sign(cn, site.operator + "9", key=key),
        Other.MARKET: pki.sign(cn, ou, issuer="market", key=key),
        Other.CLIENT: pki.auth_cli(cn, ou, key=key),
        Other.EXPIRED: pki.sign(cn, ou, expired=True, key=key),
        Other.REVOKED: pki.sign(cn, ou, key=key),
        Other.SUCCESSOR: pki.sign(cn, ou, key=key),
    }
    pki.revoke(others[Other.REVOKED])
    return others


def _widened(bundle: Path, more: tuple[x509.Certificate, ...]) -> Path:
    """That bundle, or another beside it that has more authorities."""
    if not more:
        return bundle
    wider = bundle.with_name(f"{bundle.stem}-et-produit.pem")
    wider.write_bytes(bundle.read_bytes() + pem(*more))
    return wider


class _Desk:
    """Issues certificates under file names, or finds again those of an earlier run."""

    def __init__(self, pki: Pki, directory: Path) -> None:
        self._pki = pki
        self._directory = directory

    def server(self, host: str, announced: str) -> CredentialFiles:
        """Of the market, for that host at that address."""
        name = f"server-{host}"
        kept = self._kept(name)
        if kept is None or not {host, announced} <= server_names(kept.certificate):
            kept = self._pki.server(host, announced)
        return kept.write(self._directory, name)

    def wardrobe(self, name: str, *hosts: str, instead: str) -> dict[Shown, CredentialFiles]:
        """Certificates of those hosts, each wrong in one thing; one of them names `instead`."""
        pki, key = self._pki, self.key("rogue")
        wrong = {
            Shown.OTHER_NAME: pki.server(instead, here=False, key=key),
            Shown.OTHER_AUTHORITY: pki.server(*hosts, issuer="igc", key=key),
            Shown.EXPIRED: pki.server(*hosts, expired=True, key=key),
            Shown.SELF_SIGNED: pki.server(*hosts, self_signed=True, key=key),
            Shown.CLIENT_ONLY: pki.server(*hosts, client_only=True, key=key),
        }
        return {
            shown: one.write(self._directory, f"rogue-{name}-{shown}")
            for shown, one in wrong.items()
        }

    def organisation(
        self, name: str, issue: Callable[..., Credential], cn: str, ou: str, o: str = ""
    ) -> tuple[Credential, CredentialFiles]:
        """Of a structure: `issue` is one of the two ways of its authority."""
        spoken = {"CN": cn, "OU": ou, **({"O": o} if o else {})}
        kept, found = self._kept(name), self._found(name)
        if kept is None or any(
            attribute(kept.certificate, kind) != (value,) for kind, value in spoken.items()
        ):
            # Its key may stay: making one is what takes time.
            key = {} if found is None else {"key": found.key}
            kept = issue(cn, ou, **({"o": o} if o else {}), **key)
        return kept, kept.write(self._directory, name)

    def key(self, name: str) -> rsa.RSAPrivateKey:
        """A bare key."""
        file = self._directory / f"{name}.key"
        if file.exists():
            return read_key(file)
        made = rsa.generate_private_key(65537, 2048)
        write_key(file, made)
        return made

    def _kept(self, name: str) -> Credential | None:
        found = self._found(name)
        return found if found is not None and self._pki.vouches_for(found) else None

    def _found(self, name: str) -> Credential | None:
        try:
            return Credential.read(self._directory, name)
        except (OSError, ValueError):
            return None
