"""statuscode-exporter: asks HTTPS domains as different clients do, and tells Prometheus what came back."""

__version__ = "0.1.0"
