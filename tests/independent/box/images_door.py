"""WADO-RS over http.server and ssl: who asks is checked, then files are sent with the INS."""

from __future__ import annotations

import http.client
import io
import json
import re
import ssl
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import manifest
from feeding import Feeder, Published
from own_pacs import OwnPacs
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

RESOURCE = re.compile(r"/studies/([0-9.]+)/series/([0-9.]+)")
SYNTAX = re.compile(r"transfer-syntax=\"?([0-9.*]+)")
PARAMETERS = "".join(
    f'<param name="{name}" style="header" required="true"/>'
    for name in ("Accept", "Authorization", "KOS-SOPInstanceUID")
)
CAPABILITIES = (
    '<application xmlns="http://wadl.dev.java.net/2009/02"><resources base="{base}/">'
    '<resource path="studies/{{StudyInstanceUID}}/series/{{SeriesInstanceUID}}">'
    f'<method name="GET" id="RetrieveSeries"><request>{PARAMETERS}</request>'
    '<response status="200"><representation'
    ' mediaType="multipart/related; type=&quot;application/dicom&quot;"/></response></method>'
    "</resource></resources></application>"
)


class Denied(Exception):
    """The status that answers, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Server(ThreadingHTTPServer):
    """A refused handshake is no event."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class ImagesDoor:
    """Mutual TLS, one thread per connection."""

    def __init__(
        self, feeder: Feeder, pacs: OwnPacs, config: dict[str, Any], gaps: frozenset[str]
    ) -> None:
        self._feeder, self._pacs, self._config, self._gaps = feeder, pacs, config, gaps
        self._root = urlsplit(config["wado"]["public_url"]).path
        self._server = Server(("127.0.0.1", config["wado"]["port"]), self._handler())
        wado = config["wado"]
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=wado["client_ca"])
        context.load_cert_chain(wado["certificate"], wado["key"])
        context.verify_mode = ssl.CERT_REQUIRED
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context = context

    @property
    def address(self) -> str:
        """`host:port`."""
        return "{}:{}".format(*self._server.server_address[:2])

    def start(self) -> None:
        """Listen."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                # The handshake is this thread's: a slow or refused one holds nobody up.
                self.request = door._context.wrap_socket(self.request, server_side=True)
                super().setup()

            def do_OPTIONS(self) -> None:
                text = CAPABILITIES.format(base=door._config["wado"]["public_url"])
                self._send(200, "application/vnd.sun.wadl+xml", text.encode())

            def do_GET(self) -> None:
                if self.path.rstrip("/") == door._root:
                    return self.do_OPTIONS()
                try:
                    kind, body = door._images(self)
                except Denied as error:
                    status = 500 if "server-error" in door._gaps else error.status
                    return self._send(status, "text/plain; charset=utf-8", str(error).encode())
                return self._send(200, kind, body)

            def _send(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                if status == 401:
                    self.send_header("WWW-Authenticate", "Bearer")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        return Handler

    def _images(self, request: BaseHTTPRequestHandler) -> tuple[str, bytes]:
        if "white-list" not in self._gaps:
            self._check_listed(request.request.getpeercert())
        self._check_token(request.headers.get("Authorization", ""))
        asked = RESOURCE.fullmatch(request.path.removeprefix(self._root))
        if asked is None:
            raise Denied(404, "ressource inconnue")
        study, series = asked.groups()
        known = self._feeder.published(study)
        if known is None:
            raise Denied(404, "examen sans KOS")
        if request.headers.get("KOS-SOPInstanceUID", "") != known.kos_uid:
            raise Denied(409, "KOS périmé")
        paths = [
            one.path
            for one in self._pacs.study(study)
            if one.series == series and one.sop_instance in known.images
        ]
        if not paths:
            raise Denied(404, "série que le KOS ne référence pas")
        accepted = request.headers.get_all("Accept", [])
        return self._packed([self._prepared(path, known) for path in paths], accepted)

    def _prepared(self, path: Any, known: Published) -> tuple[str, bytes]:
        image = dcmread(path)
        syntax = image.file_meta.TransferSyntaxUID
        if syntax == ImplicitVRLittleEndian:
            image.file_meta.TransferSyntaxUID = syntax = ExplicitVRLittleEndian
        if "ins" not in self._gaps:
            others = list(image.get("OtherPatientIDsSequence", None) or [])
            image.OtherPatientIDsSequence = [*others, manifest.identity(*known.ins)]
        buffer = io.BytesIO()
        image.save_as(buffer, implicit_vr=False, little_endian=True, enforce_file_format=True)
        return str(syntax), buffer.getvalue()

    @staticmethod
    def _packed(files: list[tuple[str, bytes]], accepted: list[str]) -> tuple[str, bytes]:
        wanted = set(SYNTAX.findall(" ".join(accepted))) or {"*"}
        (syntax,) = {one for one, _ in files}
        if syntax not in wanted and "*" not in wanted:
            raise Denied(406, f"images en {syntax}")
        boundary = f"independant-{uuid.uuid4().hex}"
        kind = f"application/dicom; transfer-syntax={syntax}"
        body = b"".join(
            f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode() + data + b"\r\n"
            for _, data in files
        )
        told = f'multipart/related; type="application/dicom"; boundary="{boundary}"'
        return f"{told}; transfer-syntax={syntax}", body + f"--{boundary}--\r\n".encode()

    # -- who asks ----------------------------------------------------------------------------

    def _check_listed(self, certificate: dict[str, Any]) -> None:
        subject = frozenset(pair for part in certificate["subject"] for pair in part)
        settings = self._config["whitelist"]
        _, document = _call("GET", settings["url"], ssl.create_default_context(
            cafile=settings["trust"]
        ))  # fmt: skip
        names = {"CN": "commonName", "OU": "organizationalUnitName", "O": "organizationName",
                 "ST": "stateOrProvinceName", "C": "countryName"}  # fmt: skip
        for node in ElementTree.fromstring(document).iter():
            if node.tag.endswith("}DNCertificatOperateur"):
                pairs = (one.split("=", 1) for one in (node.text or "").split(","))
                if frozenset((names[key], value) for key, value in pairs) == subject:
                    return
        raise Denied(403, "DRIMbox absente de la liste blanche")

    def _check_token(self, header: str) -> None:
        kind, _, token = header.partition(" ")
        if kind != "Bearer" or not token:
            raise Denied(401, "jeton absent")
        settings = self._config["psc"]
        context = ssl.create_default_context(cafile=settings["trust"])
        context.load_cert_chain(settings["certificate"], settings["key"])
        _, found = _call("GET", f"{settings['issuer']}/.well-known/openid-configuration", context)
        known = json.loads(found)
        status, said = _call(
            "POST", known["introspection_endpoint"], context, urlencode({"token": token})
        )
        state = json.loads(said) if status == 200 else {}
        if not state.get("active") or state.get("typ") != "Bearer":
            raise Denied(401, "jeton inactif")
        status, said = _call("GET", known["userinfo_endpoint"], context, token=token)
        professions = set(re.findall(rb'"codeProfession"\s*:\s*"(\w+)"', said))
        if not professions & {one.encode() for one in settings["professions"]}:
            raise Denied(403, "profession non autorisée")


def _call(
    method: str, url: str, context: ssl.SSLContext, form: str = "", token: str = ""
) -> tuple[int, bytes]:
    """Status and body; a neighbour that does not answer is a refusal for now."""
    parts = urlsplit(url)
    headers = {"Accept": "*/*"}
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = http.client.HTTPSConnection(
        str(parts.hostname), parts.port, timeout=10, context=context
    )
    try:
        connection.request(method, parts.path, form or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Denied(503, f"{parts.path} : {error}") from error
    finally:
        connection.close()
