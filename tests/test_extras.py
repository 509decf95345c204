"""Without the extra everything but HTTP/3 works, and who asks for it is told what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from exporter import extras
from exporter.model import Protocol

CONFIG = "groups: [{name: g, domains: [a.test], protocols: [http/1.1, h3]}]\n"
WITHOUT_AIOQUIC = "import sys; sys.modules['aioquic'] = None\n"
LOAD = """
from pathlib import Path
from exporter.config import ConfigError, load
try:
    print([protocol.value for protocol in load(Path(sys.argv[1]), {}).targets[0].protocols])
except ConfigError as error:
    print(error)
"""


def python(code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    root = Path(__file__).parents[1]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=root).stdout


def test_a_configuration_that_asks_for_h3_needs_the_extra(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)

    refused = python(WITHOUT_AIOQUIC + LOAD, path)
    taken = python("import sys\n" + LOAD, path)

    assert refused.count("\n") == 1
    assert "pip install statuscode-exporter[h3]" in refused
    assert taken == "['http/1.1', 'h3']\n"


def test_every_protocol_can_be_spoken_here():
    assert all(extras.can_speak(protocol) for protocol in Protocol)


def test_http_3_is_not_loaded_before_someone_asks_for_it():
    loaded = python(
        "import sys, exporter.app, exporter.cli\nprint('aioquic' in sys.modules, 'pylsqpack' in sys.modules)"
    )

    assert loaded == "False False\n"
