"""What an annotated message is: sections of facts, fields, trees and coloured lines. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Block", "Code", "Fact", "Facts", "Field", "Fields", "Node", "Section", "Token", "Tree"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One name and its value: an HTTP header, a TLS property, a form field."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A two-column table."""

    rows: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One line of an HL7 message: `level` 0 is a segment, 1 a field, 2 a component."""

    path: str
    name: str
    value: str
    level: int


@dataclass(frozen=True, slots=True)
class Fields:
    """The segments, fields and components of an HL7 v2 message, in order."""

    rows: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One DICOM element (`vr` set) or one item of a sequence (`vr` empty)."""

    path: str
    tag: str
    name: str
    vr: str
    value: str
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """A DICOM data set."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A run of characters of one kind: `tag`, `name`, `string`, `comment`, or "" for plain."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of text, each cut into tokens."""

    lines: tuple[tuple[Token, ...], ...]


Block = Facts | Fields | Tree | Code


@dataclass(frozen=True, slots=True)
class Section:
    """One titled piece of a message; `note` says what was left out of the display."""

    title: str
    blocks: tuple[Block, ...]
    note: str = ""
    folded: bool = False
