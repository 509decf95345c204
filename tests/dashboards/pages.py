"""Small HTTP servers of the tests: the metrics that a sick exporter would show, and whoever alerts are sent to."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.real.processes import Endpoint


@contextlib.contextmanager
def serving(answer: Callable[[str, bytes], str]) -> Iterator[Endpoint]:
    """`answer` makes the body of a request's path and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            text = answer(self.path, body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET  # noqa: N815  # the library's name

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Endpoint("127.0.0.1", server.server_address[1])
        finally:
            server.shutdown()
            thread.join(10)


class Receiver:
    """Keeps the notifications of an Alertmanager, by the path that they were sent to."""

    def __init__(self) -> None:
        self.notifications: list[tuple[str, dict]] = []

    def take(self, path: str, body: bytes) -> str:
        self.notifications.append((path.strip("/"), json.loads(body)))
        return ""

    def alerts(self) -> list[dict]:
        return [alert for _, told in list(self.notifications) for alert in told["alerts"]]


class SickExporter:
    """What an exporter says that is unwell in every way; what it counts grows with each scrape.

    A slow domain stands here too, so that no test needs to be slow.
    """

    def __init__(self, healthy: str) -> None:
        self._runbooks = f"{healthy}/runbooks"
        self._url = healthy
        self._scrapes = 0

    def page(self, _path: str, _body: bytes) -> str:
        self._scrapes += 1
        count, now = self._scrapes, time.time()
        phase = 'address="127.0.42.30",protocol="h2",phase="processing"'
        cause = f'cause_id="512",title="The answer comes too slowly",severity="critical",runbook_url="{self._runbooks}'
        return "\n".join(
            (
                'statuscode_exporter_build_info{version="0",python_version="3",openssl_version="3"} 1',
                f'statuscode_exporter_pages_info{{url="{self._url}",runbooks="{self._runbooks}"}} 1',
                f'statuscode_cause_info{{cause="response-too-slow",{cause}/response-too-slow"}} 1',
                f'statuscode_round_timestamp_seconds{{domain="slow.example.test"}} {now - 2000}',
                'statuscode_round_interval_seconds{domain="slow.example.test"} 60',
                'statuscode_domain_info{domain="slow.example.test",group="slow"} 1',
                'statuscode_domain_up{domain="slow.example.test"} 1',
                'statuscode_domain_cause{domain="slow.example.test"} 0',
                f'statuscode_probe_duration_seconds{{domain="slow.example.test",{phase}}} 3',
                f"statuscode_exporter_rounds_total {10 * count}",
                f"statuscode_exporter_rounds_missed_total {5 * count}",
                f"statuscode_exporter_round_errors_total {count}",
                f"statuscode_exporter_series_dropped_total {100 * count}",
                f'statuscode_exporter_grafana_pushes_total{{result="failed"}} {count}',
                "statuscode_exporter_store_up 0",
                f"statuscode_exporter_store_dropped_total {count}",
                "",
            )
        )
