"""A DMP without network, and a box to call it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.dmp import DmpConfig, DmpOptions, Trust
from simulators.dmp.service import Service
from simulators.dmp.store import Store
from simulators.igc.pki import Pki
from tests.simulators.dmp.box import NOW, STRUCTURE, Box, Certificates
from wire.tls import ServerTls


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    pki = Pki.create(clock=lambda: NOW, crl_url="http://127.0.0.1/kit.crl")
    key = pki.throwaway_key
    return Certificates(
        pki,
        pki.auth_cli("DRIMbox", STRUCTURE, key=key),
        pki.sign("DRIMbox", STRUCTURE, key=key),
        pki.sign("Autre", "499700000002002", key=key),
    )


@pytest.fixture
def trust(certificates: Certificates) -> Trust:
    pki = certificates.pki
    return Trust(roots=(pki.igc_root,), intermediates=(pki.igc_intermediate,))


@pytest.fixture
def make_service(tmp_path: Path, trust: Trust) -> Iterator[Callable[..., Service]]:
    """A service on a database of its own, without network."""
    stores: list[Store] = []

    def make(**options: Any) -> Service:
        config = DmpConfig(
            tls=ServerTls(certificate=tmp_path / "none", key=tmp_path / "none"),
            trust=trust,
            database=tmp_path / "dmp.sqlite",
            clock=lambda: NOW,
            uuid=uuid.uuid4,
            options=DmpOptions(**options),
        )
        store = Store(config.database)
        stores.append(store)
        with store.writing() as session:
            for patient in config.patients:
                session.put_patient(patient)
        return Service(config, store)

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    return make_service()


@pytest.fixture
def box(service: Service, certificates: Certificates) -> Box:
    return Box(service, certificates)
