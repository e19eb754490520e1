"""dicomweb-client reads the Consumer's DICOMweb as it reads any server's."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from anyio.from_thread import BlockingPortal

from tests.drimbox_ref.consumer.bed import RADIOLOGIST, WEB
from tests.drimbox_ref.consumer.test_dicomweb import OhifBed

pytestmark = pytest.mark.interop


def test_dicomweb_client_searches_and_retrieves(
    portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory
) -> None:
    web = pytest.importorskip(
        "dicomweb_client.api", reason="paquet absent : dicomweb-client (extra interop)"
    )
    import requests
    from requests.adapters import HTTPAdapter

    class Named(HTTPAdapter):
        """Checks the certificate on the name of the Consumer, which no resolver knows."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, assert_hostname=WEB, server_hostname=WEB, **kwargs)

    bed = OhifBed(tmp_path_factory.mktemp("interop"))
    portal.call(bed.start)
    try:
        bed.patient()
        study = "1.2.250.1.999.33.1"
        bed.publish(study, series=1, count=3)
        user = portal.call(bed.opened, RADIOLOGIST)
        context = user.page.url.rpartition("/")[2]
        session = requests.Session()
        session.trust_env = False
        session.verify = str(bed.trust.market_trust)
        session.mount("https://", Named())
        cookies = (f"{one.name}={one.value}" for one in user._client._client.cookies.jar)
        client = web.DICOMwebClient(
            f"https://{bed.addresses['web']}/session/{context}/dicomweb",
            session=session,
            headers={"Cookie": "; ".join(cookies)},
        )
        (found,) = client.search_for_studies(search_filters={"StudyDate": "20260101-20261231"})
        assert found["0020000D"]["Value"] == [study]
        assert client.search_for_studies(search_filters={"StudyDate": "-20251231"}) == []
        (series,) = client.search_for_series(study)
        uid = series["0020000E"]["Value"][0]
        listed = {one["00080018"]["Value"][0] for one in client.search_for_instances(study, uid)}
        metadata = client.retrieve_series_metadata(study, uid)
        assert {one["00080018"]["Value"][0] for one in metadata} == listed
        first = metadata[0]["00080018"]["Value"][0]
        frames = [
            client.retrieve_instance_frames(study, uid, first, [1], media_types=accepted)[0]
            for accepted in (None, (("application/octet-stream", "*"),))
        ]
        shape = (metadata[0]["00280010"]["Value"][0], metadata[0]["00280011"]["Value"][0])
        values = np.frombuffer(frames[0], "<u2").reshape(shape)
        assert values.max() > values.min()
        assert frames[0] == frames[1]
        with pytest.raises(requests.HTTPError, match=re.escape("404")):
            client.retrieve_instance_frames(study, uid, first, [2])
    finally:
        portal.call(bed.stop)
