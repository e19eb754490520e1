"""The sequence diagram of a scenario, as inline SVG: a pure function of its messages.

Actors are lifelines in a stable order; time goes down; a request is a full arrow, an answer a
dashed one, and what happened in between is drawn in between. What was refused or cut is crossed.
Every arrow is a link to its annotated message. Colours come from the classes of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from reports import redact
from reports.annotate.dispatch import answer
from reports.flow import Group, Message, actor_label, actor_rank
from wire.exchange import Outcome

__all__ = ["diagram", "tone"]

_GUTTER = 110
_ROOM = 1060
"""What a page gives to a diagram before it has to shrink it."""
_NARROWEST, _WIDEST = 142, 230
_HEAD = 46
_REQUEST = 36
_ANSWER = 26
_BAND = 30
_GLYPH = 6.4
"""Mean width of a character of the labels, in SVG units."""


@dataclass(frozen=True, slots=True)
class _Event:
    """A request that leaves (`start`), or the end of its exchange."""

    item: Message | Group
    start: bool


def tone(message: Message) -> str:
    """The class of an arrow: `ok`, `no` (answered by a refusal), `refused`, `aborted`, `late`."""
    match message.exchange.outcome:
        case Outcome.REFUSED:
            return "refused"
        case Outcome.ABORTED:
            return "aborted"
        case Outcome.TIMED_OUT:
            return "late"
        case _:
            return "ok" if answer(message.exchange)[1] else "no"


def diagram(
    items: Sequence[Message | Group],
    *,
    steps: Mapping[int, str] | None = None,
    marks: Mapping[str, str] | None = None,
    title: str = "Diagramme de séquence",
) -> Markup:
    """The diagram, "" when there is nothing to draw.

    Args:
        items: what `reports.flow.condensed` gives; mirrors are left out here.
        steps: step index -> text of the band drawn where the step begins.
        marks: exchange id -> `error` or `warning`, when a finding bears on it.
        title: what assistive technology reads first.
    """
    drawn = [item for item in items if _head(item).mirror_of is None]
    if not drawn:
        return Markup("")
    canvas = _Canvas(drawn, _moved(items, marks or {}))
    band: int | None = None
    for event in _events(drawn):
        step = _head(event.item).recorded.step
        if (
            event.start
            and steps
            and step is not None
            and step in steps
            and (band is None or step > band)
        ):
            canvas.band(steps[step])
            band = step
        if isinstance(event.item, Group):
            canvas.group(event.item)
        elif event.start:
            canvas.request(event.item)
        else:
            canvas.end(event.item)
    return canvas.svg(title)


def _moved(items: Sequence[Message | Group], marks: Mapping[str, str]) -> dict[str, str]:
    """The marks, those of a mirror borne by the message that is drawn for it too."""
    drawn = {_head(item).number: _head(item).recorded.id for item in items}
    moved = dict(marks)
    for item in items:
        message = _head(item)
        if message.mirror_of in drawn and message.recorded.id in marks:
            moved.setdefault(drawn[message.mirror_of], marks[message.recorded.id])
    return moved


def _head(item: Message | Group) -> Message:
    return item.first if isinstance(item, Group) else item


def _events(items: Iterable[Message | Group]) -> list[_Event]:
    timed: list[tuple[float, int, int, _Event]] = []
    for serial, item in enumerate(items):
        exchange = _head(item).exchange
        timed.append((exchange.mono_start, 1, serial, _Event(item, True)))
        if isinstance(item, Message) and _ends(item):
            # An instantaneous exchange still ends after it began, and before the next begins.
            instant = exchange.mono_end <= exchange.mono_start
            rank = 1 if instant else 0
            timed.append(
                (max(exchange.mono_end, exchange.mono_start), rank, serial, _Event(item, False))
            )
    return [event for *_, event in sorted(timed, key=lambda entry: entry[:3])]


def _ends(message: Message) -> bool:
    """Whether the end of the exchange is drawn apart from its request."""
    return message.exchange.outcome is not Outcome.REFUSED


class _Canvas:
    """Rows from top to bottom; lifelines and activation bars are drawn under them at the end."""

    def __init__(self, items: Sequence[Message | Group], marks: Mapping[str, str]) -> None:
        actors = {end for item in items for end in (_head(item).caller, _head(item).callee)}
        self._actors = sorted(actors, key=actor_rank)
        fair = (_ROOM - _GUTTER) // len(self._actors)
        self._step = min(_WIDEST, max(_NARROWEST, fair))
        self._x = {
            actor: _GUTTER + self._step // 2 + rank * self._step
            for rank, actor in enumerate(self._actors)
        }
        self._width = _GUTTER + self._step * len(self._actors) + 14
        self._origin = _head(items[0]).exchange.mono_start
        self._marks = marks
        self._y = _HEAD + 10
        self._rows: list[str] = []
        self._bars: list[str] = []
        self._open: dict[int, int] = {}

    def band(self, text: str) -> None:
        """A step begins here."""
        self._y += 10
        room = int((self._width - 28) / _GLYPH)
        self._rows.append(
            f'<rect class="band" x="4" y="{self._y}" width="{self._width - 8}" height="20" rx="4"/>'
            f'<text class="band-text" x="14" y="{self._y + 14}">{_fit(text, room)}</text>'
        )
        self._y += _BAND - 6

    def request(self, message: Message) -> None:
        """The arrow from caller to callee, crossed when nothing came of it."""
        self._y += _REQUEST
        kind = tone(message)
        exchange = message.exchange
        label = message.name + (f" · {exchange.detail}" if exchange.detail else "")
        offset = f"{exchange.mono_start - self._origin:.3f}".replace(".", ",")
        mark = self._marks.get(message.recorded.id, "")
        crossed = exchange.outcome is Outcome.REFUSED
        parts = [
            f'<text class="number" x="52" y="{self._y + 4}">{message.number}</text>',
            f'<text class="time" x="{_GUTTER - 8}" y="{self._y + 4}">+{offset}</text>',
            self._arrow(message.caller, message.callee, "request", label, crossed=crossed),
        ]
        if mark:
            parts.append(
                f'<circle class="mark {mark}" cx="12" cy="{self._y}" r="8"/>'
                f'<text class="mark-text" x="12" y="{self._y + 4}">!</text>'
            )
        self._link(message, f"Message {message.number} : {label}", kind, parts)
        if crossed:
            self._y += 16
            reason = exchange.reason or (exchange.tls.reason if exchange.tls else "") or ""
            self._note(message, f"refusé{f' : {reason}' if reason else ''}", kind)
        else:
            self._open[message.number] = self._y

    def end(self, message: Message) -> None:
        """The dashed arrow back, or what stands for an answer that never came."""
        began = self._open.pop(message.number)
        exchange = message.exchange
        kind = tone(message)
        self._y += _ANSWER
        said, _ = answer(exchange)
        match exchange.outcome:
            case Outcome.ANSWERED:
                label, crossed = said or "réponse", False
            case Outcome.TIMED_OUT:
                label, crossed = "sans réponse dans le délai", True
            case _:
                label = f"interrompu{f' : {exchange.reason}' if exchange.reason else ''}"
                crossed = True
        arrow = self._arrow(message.callee, message.caller, "answer", label, crossed=crossed)
        described = f"Réponse au message {message.number} : {label}"
        self._link(message, described, kind, [arrow])
        x = self._x[message.callee]
        self._bars.append(
            f'<rect class="bar" x="{x - 4}" y="{began}" width="8" height="{self._y - began}"/>'
        )

    def group(self, group: Group) -> None:
        """One thick arrow for many."""
        self._y += _REQUEST
        count = len(group.messages)
        label = f"… {count} autres {group.first.name}"
        arrow = self._arrow(group.first.caller, group.first.callee, "group", label)
        span = f"{group.first.number} à {group.messages[-1].number}"
        self._rows.append(
            f'<g class="arrow ok"><title>{_text(f"Messages {span}, semblables")}</title>'
            f'<text class="number" x="52" y="{self._y + 4}">…</text>{arrow}</g>'
        )

    def svg(self, title: str) -> Markup:
        """The whole drawing."""
        height = self._y + 18
        heads = []
        for actor in self._actors:
            x = self._x[actor]
            half = min(self._step // 2 - 8, 86)
            room = int(2 * half / _GLYPH)
            heads.append(
                f'<line class="life" x1="{x}" y1="{_HEAD - 8}" x2="{x}" y2="{height - 6}"/>'
                f'<rect class="actor" x="{x - half}" y="6" width="{2 * half}" height="30" rx="6"/>'
                f'<text class="actor-text" x="{x}" y="26">{_fit(actor_label(actor), room)}</text>'
            )
        return Markup(
            f'<svg class="sequence" role="group" aria-label="{_text(title)}" '
            f'viewBox="0 0 {self._width} {height}" width="{self._width}" height="{height}">'
            f"{''.join(heads)}{''.join(self._bars)}{''.join(self._rows)}</svg>"
        )

    def _arrow(self, start: str, end: str, kind: str, label: str, *, crossed: bool = False) -> str:
        x1, x2, y = self._x[start], self._x[end], self._y
        if start == end:
            path = f"M{x1 + 5},{y - 8} h34 v8 h-30"
            head, middle, room = self._tip(x1 + 5, -1), x1 + 44, int((self._step - 50) / _GLYPH)
            anchor = "start"
            cross_at = x1 + 39
        else:
            way = 1 if x2 > x1 else -1
            x1, x2 = x1 + 5 * way, x2 - 5 * way
            path = f"M{x1},{y} H{x2 - 7 * way}"
            head = self._tip(x2, way)
            middle, anchor = (x1 + x2) // 2, "middle"
            room = int((abs(x2 - x1) - 14) / _GLYPH)
            cross_at = x2 - 26 * way
        cross = ""
        if crossed:
            cross = f'<path class="cross" d="M{cross_at - 6},{y - 6} l12,12 m0,-12 l-12,12"/>'
        return (
            f'<path class="line {kind}" d="{path}"/>{head}{cross}'
            f'<text class="label {kind}" text-anchor="{anchor}" '
            f'x="{middle}" y="{y - 6}">{_fit(label, room)}</text>'
        )

    def _tip(self, x: int, way: int) -> str:
        y = self._y
        return f'<path class="tip" d="M{x},{y} l{-9 * way},-4 v8 z"/>'

    def _note(self, message: Message, text: str, kind: str) -> None:
        x1, x2 = self._x[message.caller], self._x[message.callee]
        room = int(max(abs(x2 - x1), self._step) * 1.4 / _GLYPH)
        middle = (x1 + x2) // 2
        shown = _fit(text, room)
        label = f'<text class="label reason" text-anchor="middle" x="{middle}" y="{self._y}">'
        self._rows.append(f'<g class="arrow {kind}">{label}{shown}</text></g>')

    def _link(self, message: Message, described: str, kind: str, parts: Sequence[str]) -> None:
        # The whole row answers to the pointer, not only the line.
        hit = f'<rect class="hit" x="0" y="{self._y - 18}" width="{self._width}" height="25"/>'
        self._rows.append(
            f'<a class="arrow {kind}" href="#m{message.number}" aria-label="{_text(described)}">'
            f"<title>{_text(described)}</title>{hit}{''.join(parts)}</a>"
        )


def _fit(text: str, room: int) -> str:
    text = redact.text(text)
    return str(escape(text if len(text) <= room else text[: max(1, room - 1)] + "…"))


def _text(text: str) -> str:
    return str(escape(redact.text(text)))
