"""One answer over HTTP/2 (RFC 9113, section 8.1), collected from header sections and pieces of its body."""

from __future__ import annotations

from exporter.model import Method, Response
from exporter.probing.body import Body
from exporter.probing.bounds import MOST_INTERIM
from exporter.probing.failures import Broken
from exporter.probing.http2_fields import Fields, pairs, status_of

_SWITCHING_PROTOCOLS = 101  # there is none in HTTP/2 (section 8.6)
_LONGEST_LENGTH = 18  # digits; what has more is more than we will ever see


class Answer:
    """Takes what came on the request's stream. Whatever is not as it should be raises `Broken`."""

    def __init__(self, method: Method = Method.GET) -> None:
        self.body = Body()
        self.complete = False
        self.has_headers = False
        self._method = method
        self._status = 0
        self._fields: tuple[tuple[str, str], ...] = ()
        self._length: int | None = None  # of the body, as announced
        self._came = 0  # of it
        self._interim = 0

    def take_fields(self, fields: Fields, *, ends: bool) -> None:
        if self.has_headers:
            self._take_trailers(fields, ends=ends)
            return
        status = status_of(fields)
        if status < 200:
            self._pass_over(status, ends=ends)
            return
        self._fields = pairs(fields[1:])
        self._status, self._length = status, _announced(self._fields)
        self.has_headers, self.complete = True, ends

    def take_data(self, data: bytes, *, ends: bool) -> None:
        if not self.has_headers:
            raise Broken("protocol-error", "a body came before its headers")
        self.body.take(data)
        self._came += len(data)
        if self._length is not None and self._came > self._length and not self._has_none:
            raise Broken("protocol-error", f"the body is longer than its Content-Length of {self._length}")
        self.complete = ends

    def check_length(self) -> None:
        """Of a body that has ended (section 8.1.1)."""
        if self.complete and self._length is not None and self._came < self._length and not self._has_none:
            raise Broken("truncated", f"the body ended after {self._came} of {self._length} bytes")

    def response(self) -> Response:
        return Response(
            status=self._status,
            version="2",
            headers=self._fields,
            body=self.body.kept,
            body_bytes=self.body.read,
            body_complete=self.complete,
            body_sha256=self.body.sha256,
        )

    @property
    def _has_none(self) -> bool:
        """Whether the answer has no body whatever its Content-Length says (RFC 9110, sections 8.6, 15.3.5, 15.4.5)."""
        return self._method is Method.HEAD or self._status in (204, 304)

    def _pass_over(self, status: int, *, ends: bool) -> None:
        self._interim += 1
        if ends or status == _SWITCHING_PROTOCOLS:
            raise Broken("protocol-error", f"the answer is a {status} and nothing more")
        if self._interim > MOST_INTERIM:
            raise Broken("protocol-error", f"more than {MOST_INTERIM} interim answers")

    def _take_trailers(self, fields: Fields, *, ends: bool) -> None:
        if not ends or any(name.startswith(b":") for name, _ in fields):
            raise Broken("protocol-error", "a second header section came that is no trailer")
        self.complete = True


def _announced(fields: tuple[tuple[str, str], ...]) -> int | None:
    """The Content-Length, which may stand more than once and must then be the same. Raises `Broken`."""
    values = {value for name, value in fields if name == "content-length"}
    if not values:
        return None
    (value, *others) = values
    if others or not (value.isascii() and value.isdigit()):
        raise Broken("protocol-error", f"the Content-Length is {' and '.join(sorted(values))[:100]!r}")
    return int(value[:_LONGEST_LENGTH])
