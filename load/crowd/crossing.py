"""What crosses from one member to another: searched for in all that is received, everywhere."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.feed import Feed
from bench.submissions import package
from load.crowd.people import Member
from protocols import jose, saml, soap
from protocols.errors import RemoteProtocolError
from spec.vihf import AttributeName
from wire.exchange import Exchange
from wire.shard import Shard

__all__ = ["Watch"]

_DMP = frozenset({"TD0.2", "ITI-18", "ITI-43"})
_STUDY = re.compile(r"/studies/([0-9.]+)/")
_MOST = 200
"""Of each, what is kept: the first are enough to find the fault."""


class Watch(Feed):
    """The feed of a crowd's bed: judges each exchange as it comes, and remembers none."""

    def __init__(self, shard: Shard, crowd: Sequence[Member]) -> None:
        super().__init__(shard)
        self._lock = threading.Lock()
        self._by_mark = {mark: one.number for one in crowd for mark in one.marks}
        self._marks = re.compile("|".join(map(re.escape, self._by_mark)).encode())
        self._by_rpps = {one.professional.id: one for one in crowd}
        self._by_study = {one.study: one for one in crowd}
        self._tokens: set[bytes] = set()
        self._speakers: dict[str, str] = {}
        """Session at PSC -> professional."""
        self.counts: Counter[str] = Counter()
        self.crossings: list[str] = []
        self.lacks: list[str] = []

    def crossed(self, what: str) -> None:
        """Keep one crossing."""
        self._keep(self.crossings, what)

    def lacked(self, what: str) -> None:
        """Keep one thing that a member was not shown, though it is his: nobody else's was."""
        self._keep(self.lacks, what)

    def _keep(self, kept: list[str], what: str) -> None:
        with self._lock:
            if len(kept) < _MOST:
                kept.append(what)

    def shown(self, member: Member, exchange: Exchange) -> None:
        """What the member's browser received of the Consumer: his own marks, and no token."""
        response = exchange.response
        if response is None or exchange.transaction == "PSC-login":
            return  # the page where everybody may log in names everybody
        with self._lock:
            self.counts["réponses lues"] += 1
            tokens = tuple(self._tokens)
        head = "\n".join(f"{name}: {value}" for name, value in response.head).encode()
        received = head + b"\n" + response.body
        where = exchange.request.start_line.split(" ")[1][:60] if exchange.request else "?"
        for mark in {found.decode() for found in self._marks.findall(received)}:
            if self._by_mark[mark] != member.number:
                self.crossed(f"{mark} chez {member.number} : {where}")
        if any(token in received for token in tokens):
            self.crossed(f"un jeton chez {member.number} : {where}")

    def observe(self, exchange: Exchange) -> None:
        """What services received: DMP and Source must hear each member of his own patient."""
        with self._lock:
            self.counts[exchange.transaction] += 1
        if exchange.transaction in ("PSC-token", "PSC-refresh"):
            self._learn(exchange)
        elif exchange.transaction in _DMP:
            self._judge_dmp(exchange)
        elif exchange.transaction == "WADO-RS":
            self._judge_source(exchange)

    def _learn(self, exchange: Exchange) -> None:
        answer = _json(exchange.response.body if exchange.response else b"")
        tokens = [answer[n] for n in ("access_token", "refresh_token", "id_token") if n in answer]
        with self._lock:
            self._tokens.update(str(one).encode() for one in tokens)
        if "id_token" in answer:
            claims = _claims(str(answer["id_token"]))
            with self._lock:
                self._speakers[str(claims.get("sid"))] = str(claims.get("preferred_username"))

    def _judge_dmp(self, exchange: Exchange) -> None:
        request = package(exchange.request)
        try:
            security = soap.parse(request.envelope).security if request else None
            vihf = saml.parse(security) if security is not None else None
        except RemoteProtocolError:
            vihf = None
        if vihf is None:
            self.crossed(f"{exchange.transaction} sans VIHF lisible")
            return
        patient = vihf.text(AttributeName.RESOURCE_ID).partition("^")[0]
        member = self._by_rpps.get(vihf.name_id)
        if member is None or member.ins != patient:
            self.crossed(f"{exchange.transaction} : {vihf.name_id} pour le patient {patient}")

    def _judge_source(self, exchange: Exchange) -> None:
        request = exchange.request
        if request is None:
            return
        study = _STUDY.search(request.start_line)
        member = self._by_study.get(study[1]) if study else None
        token = (request.header("Authorization") or "").removeprefix("Bearer ")
        with self._lock:
            speaker = self._speakers.get(str(_claims(token).get("sid")))
        if member is None or speaker != member.professional.id:
            self.crossed(f"WADO-RS de {study and study[1]} avec le jeton de {speaker}")


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _claims(token: str) -> dict[str, Any]:
    try:
        return dict(jose.read(token).claims)
    except RemoteProtocolError:
        return {}
