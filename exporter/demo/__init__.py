"""A laboratory of well- and misconfigured HTTPS servers on loopback: no root, no Internet."""

from pathlib import Path

from exporter.demo.laboratory import Laboratory, LaboratoryError

__all__ = ["Laboratory", "LaboratoryError", "example_config"]


def example_config() -> Path:
    """The configuration that probes the laboratory: the packaged one, in a checkout the repository's."""
    here = Path(__file__).parent
    packaged = here / "config.example.yaml"
    return packaged if packaged.exists() else here.parents[1] / packaged.name
