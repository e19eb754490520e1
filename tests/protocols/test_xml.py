"""XML enters bounded: what canonical form would take hours over is refused when it is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import xml
from tests.cost import costs


def attributes(count: int) -> bytes:
    return "".join(f' k{number:x}=""' for number in range(count)).encode()


def namespaces(count: int) -> bytes:
    return "".join(f' xmlns:k{number:x}="urn:{number}"' for number in range(count)).encode()


def test_as_many_as_are_allowed_are_read() -> None:
    assert len(xml.parse(b"<a" + attributes(256) + b"/>").attrib) == 256
    assert len(xml.parse(b"<a" + namespaces(256) + b"/>").nsmap) == 256


def test_one_attribute_too_many_is_named_with_its_line() -> None:
    with pytest.raises(xml.XmlError, match="<b> a 257 attributs : 256 au plus") as caught:
        xml.parse(b"<a>\n<b" + attributes(257) + b"/></a>")
    assert caught.value.where == "ligne 2"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_one_namespace_too_many_is_named_with_its_line(encoding: str) -> None:
    text = b"<a" + namespaces(200) + b">\n<b" + namespaces(257).replace(b":k", b":l") + b"/></a>"
    with pytest.raises(xml.XmlError, match="<b> a 457 espaces de noms : 256 au plus") as caught:
        xml.parse(text.decode().encode(encoding))
    assert caught.value.where == "ligne 2"


def test_a_namespace_that_many_elements_declare_anew_is_one() -> None:
    assert len(xml.parse(b"<a>" + b'<b xmlns:k="urn:k"/>' * 1000 + b"</a>")) == 1000


def test_a_million_attributes_are_refused_at_the_cost_of_reading_them() -> None:
    many = attributes(100_000)

    def refused() -> None:
        with pytest.raises(xml.XmlError):
            xml.parse(b"<a" + many + b"/>")

    def read() -> None:
        xml.parse(b"<a>" + b'<b k=""/>' * 100_000 + b"</a>")

    attack, work = costs(refused, read)
    assert attack < work * 20


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"<a>{text}</a>".encode()))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        root = xml.parse(data)
    except xml.XmlError:
        return
    assert xml.parse(xml.serialize(root)).tag == root.tag
