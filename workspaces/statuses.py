"""How each state looks: a tone and an icon. The text is the state's own label."""

from typing import NamedTuple


class Look(NamedTuple):
    tone: str
    icon: str


IDLE = Look("idle", "circle-dashed")
WAITING = Look("idle", "clock")
BUSY = Look("busy", "loader-2")
DONE = Look("good", "circle-check")
ATTENTION = Look("warn", "alert-triangle")
FAILED = Look("bad", "circle-x")

LOOKS: dict[str, Look] = {
    "queued": WAITING,
    "waiting": WAITING,
    "receiving": Look("idle", "upload"),
    "examining": BUSY,
    "ready": DONE,
    "refused": FAILED,
    "planning": BUSY,
    "running": BUSY,
    "sending": BUSY,
    "confirming": BUSY,
    "awaiting_approval": Look("warn", "hourglass"),
    "succeeded": DONE,
    "succeeded_with_rejections": Look("warn", "circle-check"),
    "failed": FAILED,
    "cancelled": Look("idle", "ban"),
    "skipped": Look("idle", "player-skip-forward"),
    "planned": IDLE,
    "sent": Look("busy", "send"),
    "confirmed": DONE,
    "draft": Look("idle", "pencil"),
    "inactive": Look("idle", "player-pause"),
    "never": IDLE,
    "active": Look("good", "plug-connected"),
    "needs_sign_in": Look("bad", "plug-connected-x"),
    "pending": WAITING,
    "expired": Look("warn", "hourglass"),
    "valid": DONE,
    "revoked": Look("idle", "ban"),
    "on": DONE,
    "off": Look("idle", "player-pause"),
    "resting": Look("warn", "plug-x"),
}


def look(state: str) -> Look:
    """Raises KeyError for a state nobody has given a look."""
    return LOOKS[state]
