"""The SDK's models of a classic dashboard, without the warning that importing them raises.

They are deprecated for those of version 2, which file provisioning does not take up to Grafana 13.0.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.models import dashboard

__all__ = ["dashboard"]
