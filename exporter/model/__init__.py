"""The nouns: what is asked, how, what came back, what it means. Values only; touches nothing.

`sni`, `host` and `address` are three identities and never mixed: the TLS server name, the HTTP authority asked for,
and the IP address connected to. `domain` is the configured target's name.
"""

from exporter.model.asking import (
    Ask,
    Dial,
    Expect,
    Probe,
    Request,
    Secret,
    StatusRange,
    Target,
    revealed,
)
from exporter.model.incident import Change, ChangeKind, Incident, Report, Stage, Turn
from exporter.model.judging import Excluded, Exposure, Finding, Round, Trial, Verdict
from exporter.model.seeing import (
    Certificate,
    Failure,
    Observation,
    Page,
    Response,
    TlsSession,
    matches_name,
)
from exporter.model.words import (
    Client,
    Combination,
    Connection,
    Experiment,
    IpFamily,
    Method,
    Phase,
    Protocol,
    Severity,
    Transport,
    Variation,
)

__all__ = [
    "Ask",
    "Certificate",
    "Change",
    "ChangeKind",
    "Client",
    "Combination",
    "Connection",
    "Dial",
    "Excluded",
    "Expect",
    "Experiment",
    "Exposure",
    "Failure",
    "Finding",
    "Incident",
    "IpFamily",
    "Method",
    "Observation",
    "Page",
    "Phase",
    "Probe",
    "Protocol",
    "Report",
    "Request",
    "Response",
    "Round",
    "Secret",
    "Severity",
    "Stage",
    "StatusRange",
    "Target",
    "TlsSession",
    "Transport",
    "Trial",
    "Turn",
    "Variation",
    "Verdict",
    "matches_name",
    "revealed",
]
