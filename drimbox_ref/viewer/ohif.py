"""The OHIF viewer as it was built for `/ohif/`: its page, its files, the configuration it reads.

Nothing of it is in this package: an administrator names the folder (`make viewer` makes one). Its
page gets the strictest policy under which it works; what that gives up is said at `POLICY`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath

from starlette.responses import FileResponse, Response

__all__ = ["ADDRESS", "Ohif", "OhifError", "OhifOpening", "check_folder"]

ADDRESS = "/ohif/"
"""The PUBLIC_URL that the folder must have been built with."""

POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""Of the page. Beyond our own pages': style elements and attributes that React and its libraries
write (`style-src 'unsafe-inline'`), the page's own two inline scripts by their digest, icons and
thumbnails made in memory (`img-src data: blob:`), workers. Nothing goes to another server.
"""

_SCRIPT_POLICY = "default-src 'none'; script-src 'self' 'unsafe-eval'; connect-src 'self'"
"""Of scripts when they are workers: the glue of two codecs makes functions from text. The page
itself may not."""

_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_CONFIG = f'src="{ADDRESS}app-config.js"'.encode()


class OhifError(Exception):
    """A folder that is not the viewer, or was built for another address: what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OhifOpening:
    """What one page is opened with. Addresses are paths without a final slash."""

    base: str
    """Where the viewer's own addresses begin: `{base}/viewer?StudyInstanceUIDs=…` is its page."""
    dicomweb: str
    mention: str
    """What its banner always shows, in three lines at most."""


def check_folder(folder: Path) -> bytes:
    """The page of the viewer that a folder holds.

    Raises:
        OhifError: what was expected there.
    """
    try:
        page = (folder / "index.html").read_bytes()
    except OSError:
        raise OhifError("un dossier où OHIF est construit (make viewer)") from None
    if f'window.PUBLIC_URL="{ADDRESS}"'.encode() not in page or _CONFIG not in page:
        raise OhifError(f"OHIF construit avec PUBLIC_URL={ADDRESS} (make viewer)")
    return page


class Ohif:
    """A folder that holds the viewer.

    Raises:
        OhifError: no such viewer there.
    """

    def __init__(self, folder: Path) -> None:
        page = check_folder(folder)
        self._before, _, self._after = page.partition(_CONFIG)
        digests = (
            base64.b64encode(hashlib.sha256(script).digest()).decode()
            for script in _INLINE.findall(page)
        )
        hashes = " ".join(sorted({f"'sha256-{digest}'" for digest in digests}))
        self._headers = {
            **_HEADERS,
            "Cache-Control": "no-store",
            "Content-Security-Policy": POLICY.format(hashes=hashes),
        }
        self._files = {
            path.relative_to(folder).as_posix(): path
            for path in folder.rglob("*")
            if path.suffix in _TYPES and path.is_file()
        }

    def page(self, opening: OhifOpening) -> Response:
        """The document; it reads `configuration` at `{base}/app-config.js`."""
        config = f'src="{opening.base}/app-config.js"'.encode()
        body = self._before + config + self._after
        return Response(body, headers={**self._headers, "Content-Type": _TYPES[".html"]})

    def configuration(self, opening: OhifOpening) -> Response:
        """What the page is told: where images are, what may be done with them."""
        template = resources.files("drimbox_ref.viewer").joinpath("templates", "ohif-config.js")
        code = template.read_text(encoding="utf-8")
        written = {"SETTINGS": _settings(opening), "MENTION": opening.mention}
        text = re.sub("SETTINGS|MENTION", lambda found: json.dumps(written[found[0]]), code)
        return Response(text, headers={**self._headers, "Content-Type": _TYPES[".js"]})

    def file(self, name: str, *, encodings: Sequence[str]) -> Response | None:
        """One of its files, compressed when the browser takes that; None when there is none."""
        path = self._files.get(name)
        if path is None or name == "index.html":
            return None
        headers = {**_HEADERS, "Cache-Control": "max-age=3600", "Vary": "Accept-Encoding"}
        kind = PurePosixPath(name).suffix
        if kind == ".js":
            headers["Content-Security-Policy"] = _SCRIPT_POLICY
        compressed = path.with_name(path.name + ".gz")
        if "gzip" in encodings and compressed.is_file():
            headers["Content-Encoding"] = "gzip"
            path = compressed
        return FileResponse(path, headers={**headers, "Content-Type": _TYPES[kind]})


def _settings(opening: OhifOpening) -> dict[str, object]:
    """OHIF's own configuration: this server's DICOMweb alone, nothing sent, nothing fetched."""
    source = {
        "friendlyName": "DRIMbox",
        "name": "drimbox",
        "qidoRoot": opening.dicomweb,
        "wadoRoot": opening.dicomweb,
        "wadoUriRoot": opening.dicomweb,
        "qidoSupportsIncludeField": False,
        "supportsFuzzyMatching": False,
        "supportsWildcard": True,
        "supportsReject": False,
        "supportsStow": False,
        "dicomUploadEnabled": False,
        "imageRendering": "wadors",
        "thumbnailRendering": "wadors",
        "enableStudyLazyLoad": True,
        "omitQuotationForMultipartRequest": False,
        "bulkDataURI": {"enabled": True},
    }
    return {
        "name": "drimbox",
        "routerBasename": opening.base,
        "extensions": [],
        "modes": [],
        "customizationService": [{"ohif.tours": {"$set": []}}],
        "showStudyList": True,
        "maxNumberOfWebWorkers": 3,
        "showWarningMessageForCrossOrigin": False,
        "showCPUFallbackMessage": True,
        "showLoadingIndicator": True,
        "strictZSpacingForVolumeViewport": True,
        "investigationalUseDialog": {"option": "never"},
        "maxNumRequests": {"interaction": 20, "thumbnail": 5, "prefetch": 6},
        "defaultDataSourceName": "drimbox",
        "dataSources": [
            {
                "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
                "sourceName": "drimbox",
                "configuration": source,
            }
        ],
    }
