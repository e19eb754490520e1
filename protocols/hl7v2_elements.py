"""The pieces of an HL7 v2 message, from segment to subcomponent: stretches of bytes, read lazily.

Réf.: HL7 v2.5 chapter 2, 2.5, grade: standard.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from protocols.errors import LocalProtocolError
from protocols.hl7v2_escape import Delimiters, unescape

__all__ = ["Component", "Element", "Field", "Repetition", "Segment", "Source", "Subcomponent"]


@dataclass(frozen=True, slots=True)
class Source:
    """What every element of one message shares."""

    raw: bytes = field(repr=False)
    delimiters: Delimiters
    codec: str


@dataclass(frozen=True, slots=True)
class Element:
    """A stretch of the message: `raw[start:end]`."""

    source: Source = field(repr=False)
    start: int
    end: int

    @property
    def span(self) -> tuple[int, int]:
        """First and past-the-end byte offsets in `Message.raw`."""
        return self.start, self.end

    @property
    def raw(self) -> bytes:
        """The bytes as they were sent."""
        return self.source.raw[self.start : self.end]

    @property
    def text(self) -> str:
        """The characters as they were sent, escapes included. Undecodable bytes become U+FFFD."""
        return self.raw.decode(self.source.codec, "replace")

    @property
    def value(self) -> str:
        """The characters with escape sequences resolved."""
        return unescape(self.text, self.source.delimiters, self.source.codec)

    def __bool__(self) -> bool:
        return self.end > self.start

    def _nth(self, separator: bytes, n: int) -> tuple[int, int]:
        """Bounds of the n-th piece (from 1); an empty stretch at the end when there is none."""
        if n < 1:
            raise LocalProtocolError(f"HL7 positions count from 1, not {n}")
        raw, start, end = self.source.raw, self.start, self.end
        for _ in range(n - 1):
            found = raw.find(separator, start, end)
            if found < 0:
                return end, end
            start = found + 1
        found = raw.find(separator, start, end)
        return start, end if found < 0 else found

    def _pieces(self, separator: bytes) -> Iterator[tuple[int, int]]:
        raw, start, end = self.source.raw, self.start, self.end
        while (found := raw.find(separator, start, end)) >= 0:
            yield start, found
            start = found + 1
        yield start, end


class Subcomponent(Element):
    """The smallest piece: it has a value and nothing inside."""

    __slots__ = ()


class Component(Element):
    """A component; `value` is its whole text, subcomponent separators included."""

    __slots__ = ()

    def subcomponent(self, n: int) -> Subcomponent:
        """The n-th subcomponent, empty when absent."""
        separator = self.source.delimiters.subcomponent
        return Subcomponent(self.source, *self._nth(separator, n))

    @property
    def subcomponents(self) -> tuple[Subcomponent, ...]:
        """All subcomponents: one when there is no separator."""
        separator = self.source.delimiters.subcomponent
        return tuple(Subcomponent(self.source, *piece) for piece in self._pieces(separator))


class Repetition(Element):
    """One occurrence of a field."""

    __slots__ = ()

    def component(self, n: int) -> Component:
        """The n-th component, empty when absent."""
        return Component(self.source, *self._nth(self.source.delimiters.component, n))

    @property
    def components(self) -> tuple[Component, ...]:
        """All components: one when there is no separator."""
        separator = self.source.delimiters.component
        return tuple(Component(self.source, *piece) for piece in self._pieces(separator))


class Field(Element):
    """A field with all its repetitions."""

    __slots__ = ()

    def repetition(self, n: int) -> Repetition:
        """The n-th repetition, empty when absent."""
        return Repetition(self.source, *self._nth(self.source.delimiters.repetition, n))

    @property
    def repetitions(self) -> tuple[Repetition, ...]:
        """All repetitions, none when the field is empty."""
        if not self:
            return ()
        separator = self.source.delimiters.repetition
        return tuple(Repetition(self.source, *piece) for piece in self._pieces(separator))

    def component(self, n: int) -> Component:
        """The n-th component of the first repetition, empty when absent."""
        return self.repetition(1).component(n)


class _Literal(Field):
    """MSH-1 and MSH-2: the delimiters themselves, never divided nor unescaped."""

    __slots__ = ()

    @property
    def value(self) -> str:
        return self.text

    def repetition(self, n: int) -> Repetition:
        return _LiteralRepetition(self.source, *(self.span if n == 1 else (self.end, self.end)))

    @property
    def repetitions(self) -> tuple[Repetition, ...]:
        return (self.repetition(1),)


class _LiteralRepetition(Repetition):
    __slots__ = ()

    @property
    def value(self) -> str:
        return self.text

    def component(self, n: int) -> Component:
        return _LiteralComponent(self.source, *(self.span if n == 1 else (self.end, self.end)))

    @property
    def components(self) -> tuple[Component, ...]:
        return (self.component(1),)


class _LiteralComponent(Component):
    __slots__ = ()

    @property
    def value(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Segment(Element):
    """One segment. `index` is its position in the message, from 0."""

    name: str
    index: int

    def field(self, n: int) -> Field:
        """The n-th field, empty when absent. MSH-1 is the field separator itself."""
        separator = self.source.delimiters.field
        if self.index == 0:
            if n == 1:
                return _Literal(self.source, self.start + 3, self.start + 4)
            bounds = self._nth(separator, n)
            return (_Literal if n == 2 else Field)(self.source, *bounds)
        return Field(self.source, *self._nth(separator, n + 1))

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields from number 1 on, trailing empty ones included."""
        count = self.raw.count(self.source.delimiters.field) + (self.index == 0)
        return tuple(self.field(n) for n in range(1, count + 1))
