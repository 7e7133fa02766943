"""What exports add to a profile's page: where it was sent, and why not."""

from typing import Any

from exports import fates
from segments.models import Profile


def exports_of(profile: Profile) -> tuple[str, dict[str, Any]] | None:
    found = fates.latest(profile)
    return ("exports/_profile_panel.html", {"found": found}) if found else None
