"""The example configuration is found in a checkout and in an installed package."""

import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

from exporter.demo import example_config
from exporter.demo.sites import SERVERS

ROOT = Path(__file__).parents[2]


def test_a_checkout_gives_the_repositorys_example():
    assert example_config() == ROOT / "config.example.yaml"
    assert example_config().is_file()


def test_an_installed_wheel_gives_the_example_that_it_brought(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([*build, "--no-build-isolation", "--wheel-dir", tmp_path, ROOT], check=True, timeout=100)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)

    script = "import exporter.demo as demo; print(demo.example_config())"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=installed, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()

    assert Path(found) == installed / "exporter" / "demo" / "config.example.yaml"
    assert Path(found).read_bytes() == (ROOT / "config.example.yaml").read_bytes()


def test_the_example_asks_for_exactly_the_names_of_the_laboratory_at_its_addresses():
    groups = yaml.safe_load(example_config().read_text(encoding="utf-8"))["groups"]
    asked = {
        (entry["domain"], address) for group in groups for entry in group["domains"] for address in entry["resolve"]
    }

    assert asked == {(name, server.address) for server in SERVERS for name in server.names}
