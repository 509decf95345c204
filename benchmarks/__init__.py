"""What the exporter costs, measured: `python -m benchmarks` prints one table. Everything runs on loopback."""
