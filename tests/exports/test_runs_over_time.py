"""An export's weeks and a workspace's days, as pictures with figures."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from exports import over_time
from tests.exports.factories import DestinationFactory, RunFactory
from tests.exports.pages import url, viewer, words


def test_an_exports_weeks_say_what_was_sent_and_how_long_it_took(workspace: Any) -> None:
    now = timezone.now()
    destination = DestinationFactory(workspace=workspace)

    def ran(weeks_ago: int, seconds: int, **counts: int) -> None:
        at = now - timedelta(weeks=weeks_ago)
        RunFactory(
            destination=destination,
            started_at=at - timedelta(seconds=seconds),
            finished_at=at,
            **counts,
        )

    ran(0, 30, added=1000, changed=200, unchanged=5, invalid=3, rejected=1)
    ran(0, 50, added=34)
    ran(3, 20, added=7)
    ran(40, 20, added=999)
    RunFactory(destination=destination, dry_run=True, added=5000)
    RunFactory(destination=DestinationFactory(workspace=workspace), added=5000)
    volumes, durations = over_time.volumes_and_durations(destination)
    assert volumes is not None
    assert durations is not None
    assert len(volumes.columns) == over_time.WEEKS
    assert [shown for _name, shown in volumes.columns[-1].figures] == ["1,234", "5", "4"]
    assert volumes.columns[-4].figures[0][1] == "7"
    assert durations.columns[-1].figures[0][1] == "40 s"
    page = words(viewer(workspace).get(url("destination_detail", workspace, destination.pk)))
    assert "Volumes by week" in page
    assert "1,234" in page


def test_home_shows_the_days_requests_once_there_were_some(workspace: Any) -> None:
    client = viewer(workspace)
    home = f"/w/{workspace.slug}/"
    assert "Requests to Constant Contact" not in words(client.get(home))
    RunFactory(destination=DestinationFactory(workspace=workspace), requests=12)
    chart = over_time.requests_by_day()
    assert chart is not None
    assert chart.columns[-1].figures == [("Requests", "12")]
    said = words(client.get(home))
    assert "Requests to Constant Contact" in said
    assert "used today" in said
