"""Any bytes make a page; hostile ones an empty one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulators.user.page import read_page

URL = "https://c.kit.test/a/b"


@given(st.binary(max_size=400), st.sampled_from(["utf-8", "latin-1", "unknown", ""]))
def test_any_bytes_make_a_page(body: bytes, charset: str) -> None:
    page = read_page(200, URL, f"text/html; charset={charset}", body)
    assert isinstance(page.text(), str)
    assert page.forms is not None
    assert page.alerts is not None
    assert page.tables is not None
    assert page.links is not None


@given(st.text(alphabet="<>/=\"' :[]abformintdvslchre!-?&;", max_size=200))
def test_any_markup_makes_a_page(text: str) -> None:
    page = read_page(200, URL, "text/html", text.encode())
    assert isinstance(page.text(), str)
    assert all(form.action.startswith("https://") or form.action for form in page.forms)


def test_addresses_are_absolute() -> None:
    body = b'<a href="../x">X</a><form><input name=q value=1></form><form action=/f></form>'
    page = read_page(200, URL, "text/html", body + b'<a href="http://[">Y</a>')
    assert [link.url for link in page.links] == ["https://c.kit.test/x", "http://["]
    assert [form.action for form in page.forms] == [URL, "https://c.kit.test/f"]
    assert page.forms[0].method == "GET"


def test_a_control_belongs_to_the_form_that_it_names() -> None:
    body = (
        b"<form id=a><input name=x value=1></form>"
        b"<form id=b><input name=y value=2><input name=z value=3 form=a></form>"
        b'<input type=checkbox name=t value=4 form=a><input name=u form=none><input name=v form="">'
    )
    first, second = read_page(200, URL, "text/html", body).forms
    assert first.fields == (("x", "1"), ("z", "3"))
    assert first.choices == (("t", "4"),)
    assert second.fields == (("y", "2"),)


def test_deep_pages_do_not_break_the_reader() -> None:
    page = read_page(200, URL, "text/html", b"<div>" * 5000 + b"fond")
    assert page.text() in ("", "fond")


def test_a_page_that_waits_for_a_telephone_shows_two_digits() -> None:
    body = b"<p>Acceptez si vous lisez : <strong id=ciba-chiffres> 07\n</strong>"
    assert read_page(200, URL, "text/html", body).digits == "07"
    assert read_page(200, URL, "text/html", b"<p>07").digits == ""
    assert read_page(200, URL, "application/json", body).digits == ""
