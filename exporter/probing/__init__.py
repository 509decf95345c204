"""Touches the probed domain and thinks nothing: resolves, dials, asks; whatever breaks becomes a `Failure`."""
