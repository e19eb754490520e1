"""The templates of every page that is shown: escaped, masked, pinned to what we wrote."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import jinja2
from markupsafe import Markup

from reports import redact, words
from reports.annotate.dispatch import answer
from reports.flow import Message, actor_label
from reports.sequence import tone
from validators.finding import Cause
from wire.exchange import Outcome

__all__ = ["environment", "policy", "source"]

_CAUSES = {
    Cause.BOX: "le produit",
    Cause.PROFILE: "le profil",
    Cause.MACHINE: "la machine",
    Cause.BENCH: "le banc",
}


def environment() -> jinja2.Environment:
    """Templates of this room; whoever adds a loader keeps escaping and masking."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # The last barrier: whatever a template prints has lost its secrets.
        finalize=_masked,
    )
    made.globals.update(
        symbols=words.SYMBOLS,
        sentences=words.SENTENCES,
        grades=words.GRADES,
        manners=words.MANNERS,
        severities=words.SEVERITIES,
        causes=_CAUSES,
        moment=words.moment,
        clock=lambda when: words.moment(when, milliseconds=True).split(" ")[1],
        duration=words.duration,
        plural=words.plural,
        label=actor_label,
        tone=tone,
        issue=_issue,
    )
    return made


def _masked(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return redact.text(value)
    return value


def source(made: jinja2.Environment, name: str) -> str:
    """The text of a file that stands among the templates: a style, a script."""
    loader = made.loader
    assert loader is not None
    return loader.get_source(made, name)[0]


def policy(style: str, script: str, *more: str) -> str:
    """Only what we wrote runs: bytes of a peer could not, even if they escaped escaping.

    `more` are directives that a page needs besides: `connect-src 'self'`.
    """

    def pinned(content: str) -> str:
        digest = hashlib.sha256(content.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    sources = f"default-src 'none'; style-src {pinned(style)}; script-src {pinned(script)}"
    return "; ".join((sources, "base-uri 'none'", *(more or ("form-action 'none'",))))


def _issue(message: Message) -> str:
    """What became of an exchange, in a few words: `répondu 200`, `répondu AE 207`, `refusé`."""
    exchange = message.exchange
    said = answer(exchange)[0] if exchange.outcome is Outcome.ANSWERED else ""
    return f"{words.OUTCOMES[exchange.outcome]} {said}".strip()
