"""A Source in its own process answers the links of reports, over TLS, to whoever follows one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from spec.viewer import PATH
from tests.drimbox_ref.source.bed import HOST, Bed, publish, running
from wire.http_client import HttpClient, Response
from wire.tls import ClientTls

pytestmark = pytest.mark.slow

STUDY = "1.2.250.1.999.1.61"


class WithViewer(Bed):
    """Its viewer's address is open."""

    def configuration(self) -> dict[str, Any]:
        files = self.server_files["db1"]
        papers = {"certificate": str(files.certificate), "key": str(files.key)}
        return {**super().configuration(), "viewer": papers}


def follow(bed: Bed, **changed: str) -> Response:
    """The link of the published report, without a client certificate."""
    written = {
        "requestType": "STUDY", "studyUID": STUDY, "accessionNumber": "ACC-1",
        "idCDA": "1.2.250.1.999.5.1",
    }  # fmt: skip

    async def request() -> Response:
        tls, at = ClientTls(bed.trust.market_trust), {HOST: bed.addresses["viewer"]}
        async with HttpClient(actor="user", tls=tls, connect_to=at) as client:
            query = urlencode({**written, **changed})
            return await client.request("GET", f"https://{HOST}{PATH}?{query}")

    answer: Response = bed.call(request)
    return answer


def test_links_are_checked_against_archive_and_pacs(tmp_path: Path) -> None:
    with running(tmp_path, WithViewer) as bed:
        bed.load(STUDY, series=1, instances=1)
        publish(bed, STUDY, "V1")
        good = follow(bed)
        assert (good.status, "n'a pas encore de visionneuse" in good.body.decode()) == (501, True)
        assert follow(bed, accessionNumber="ACC-2").status == 404
        assert follow(bed, requestType="SERIES").status == 400
        bed.pacs.remove(study=STUDY)
        assert follow(bed).status == 410
        traced = [row for row in bed.admin("audit") if row["event"] == "IID"]
        assert [row["EventOutcomeIndicator"] for row in traced] == [4, 4, 4, 0]
