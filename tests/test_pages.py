import pytest

from exporter.model import Response
from exporter.pages import differences, page_of


def html(title="Shop", body="<main><p>Hello</p></main>", **fields) -> Response:
    head = f"<!doctype html><html><head><title>{title}</title></head><body>"
    headers = (("server", "nginx"), ("content-type", "text/html; charset=utf-8"), *fields.pop("headers", ()))
    return Response(200, headers=headers, body=f"{head}{body}</body></html>".encode(), **fields)


def json(body: str) -> Response:
    return Response(200, headers=(("content-type", "application/json"),), body=body.encode())


def plain(body: str, content_type="text/plain") -> Response:
    return Response(200, headers=(("content-type", content_type),), body=body.encode())


TOKEN = "csrf=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (html(), html()),
        (html(body="<p>12:03:44</p>"), html(body="<p>13:59:01</p>")),
        (html(body=f"<p>{TOKEN}</p>"), html(body=f"<p>{TOKEN[:-6]}abcdef</p>")),
        (html(body="<p>Offer of the day: socks</p>"), html(body="<p>Offer of the day: hats</p>")),
        (html(title="Inbox (3)"), html(title="Inbox (17)")),
        (json('{"user": "a", "at": "x"}'), json('{"user": "b", "at": "y"}')),
        (Response(301, headers=(("location", "https://www.a.test/x"),)), Response(301, headers=(("location", "https://www.a.test/y"),))),
        (Response(200), Response(200)),
        (json('["a", "b"]'), json('["c"]')),
        (plain("ok, request a8f3 in 12 ms"), plain("ok,  request b2e9c in 9 ms\n")),
        (plain("started 2026-11-25T08:00Z"), plain("started 2026-11-26T09:30Z")),
    ],
)  # fmt: skip
def test_one_page_is_alike_however_dynamic_it_is(one, other):
    assert differences(page_of(one), page_of(other)) == ()


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (html(), html(title="Blog"), ("title 'Blog' instead of 'Shop'",)),
        (Response(200), Response(404), ("status 404 instead of 200",)),
        (
            Response(301, headers=(("location", "https://www.a.test/"),)),
            Response(301, headers=(("location", "https://www.b.test/"),)),
            ("redirect to 'www.b.test' instead of 'www.a.test'",),
        ),
    ],
)
def test_another_page_is_told_by_what_differs(one, other, told):
    assert differences(page_of(one), page_of(other)) == told


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (json('{"user": 1}'), json('{"error": 1}')),
        (plain("shop"), plain("blog")),
        (plain("shop"), plain("")),
        (plain("welcome to the shop", ""), plain("welcome to the blog", "")),
        (plain("User-agent: *\nAllow: /"), plain("User-agent: *\nDisallow: /")),
        (plain("body { color: red }", "text/css"), plain("p { margin: auto }", "text/css")),
    ],
)
def test_a_body_of_other_keys_or_of_other_words_without_any_is_another_page(one, other):
    (told,) = differences(page_of(one), page_of(other))

    assert told.startswith("structure ")


@pytest.mark.parametrize(
    "hostile",
    [
        Response(200, body=b"\xff\xfe" * 10_000),
        Response(200, body=b"<title>" + b"a" * 60_000),
        Response(200, body=b"<" * 60_000),
        Response(200, body=b'"' * 60_000),
        Response(301, headers=(("location", "http://[::bad"),)),
        Response(200, headers=(("set-cookie", "="), ("set-cookie", ""))),
    ],
)
def test_a_hostile_answer_has_a_page_too(hostile):
    page = page_of(hostile)

    assert len(page.title) <= 200
    assert differences(page, page) == ()
