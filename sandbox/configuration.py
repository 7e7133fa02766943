"""What the sandbox is started with."""

from dataclasses import dataclass, field


@dataclass
class Configuration:
    """Rates are per API key; latencies are seconds.

    `redirect_uris` are URIs or patterns with `*`; without any, those of this machine are taken.
    """

    client_id: str = "segue-sandbox"
    client_secret: str = "segue-sandbox-secret"  # noqa: S105 - of a stand-in, known to all
    redirect_uris: list[str] = field(default_factory=list)
    rate_per_second: int = 4
    rate_per_day: int = 10_000
    token_rate: int = 1
    rotating: bool = True
    latency: float = 0.0
    activity_latency: float = 0.0
    seed: int = 0
    data: str = ""
    faults: list[str] = field(default_factory=list)
