"""When a schedule is due next, clocks going forward and back included."""

from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspaces.scheduling import next_occurrence, occurrences

EVERY_DAY = range(1, 8)
MADRID = "Europe/Madrid"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "times", "zone", "after", "expected"),
    [
        pytest.param(
            EVERY_DAY, ["06:00"], "UTC", "2026-11-23 05:59", "2026-11-23 06:00", id="soon"
        ),
        pytest.param(
            EVERY_DAY, ["06:00"], "UTC", "2026-11-23 06:00", "2026-11-24 06:00", id="strictly after"
        ),
        pytest.param(
            [1], ["06:00"], "UTC", "2026-11-24 00:00", "2026-11-30 06:00", id="next Monday"
        ),
        pytest.param(
            EVERY_DAY,
            ["18:30", "06:00"],
            MADRID,
            "2026-11-23 06:00",
            "2026-11-23 17:30",
            id="the later of two times",
        ),
        pytest.param(
            [2],
            ["00:30"],
            MADRID,
            "2026-11-23 20:00",
            "2026-11-23 23:30",
            id="Tuesday there is still Monday in UTC",
        ),
        pytest.param(
            EVERY_DAY,
            ["02:30"],
            MADRID,
            "2026-03-28 12:00",
            "2026-03-29 01:00",
            id="a time the clocks skip is due when the gap ends",
        ),
        pytest.param(
            EVERY_DAY,
            ["02:00"],
            MADRID,
            "2026-03-28 12:00",
            "2026-03-29 01:00",
            id="the first skipped minute too",
        ),
        pytest.param(
            EVERY_DAY,
            ["02:30"],
            MADRID,
            "2026-10-24 12:00",
            "2026-10-25 00:30",
            id="a time the clocks repeat is due the first time",
        ),
        pytest.param(
            EVERY_DAY,
            ["02:30"],
            MADRID,
            "2026-10-25 00:30",
            "2026-10-26 01:30",
            id="and not the second time",
        ),
        pytest.param(
            EVERY_DAY,
            ["02:15"],
            "Australia/Lord_Howe",
            "2026-10-03 00:00",
            "2026-10-03 15:30",
            id="a gap of half an hour",
        ),
        pytest.param(
            EVERY_DAY,
            ["00:30"],
            "America/Havana",
            "2026-03-07 12:00",
            "2026-03-08 05:00",
            id="a gap at midnight",
        ),
    ],
)
def test_it_is_due_at(
    days: list[int], times: list[str], zone: str, after: str, expected: str
) -> None:
    at = [time.fromisoformat(each) for each in times]
    assert next_occurrence(days, at, zone, utc(after)) == utc(expected)


def test_two_times_in_one_gap_are_due_once() -> None:
    times = [time(2, 15), time(2, 45), time(3, 0)]
    found = islice(occurrences(EVERY_DAY, times, MADRID, utc("2026-03-28 12:00")), 2)
    assert list(found) == [utc("2026-03-29 01:00"), utc("2026-03-30 00:15")]


@pytest.mark.parametrize(("days", "times"), [([], [time(6)]), ([1], [])])
def test_without_days_or_times_nothing_is_ever_due(days: list[int], times: list[time]) -> None:
    assert next_occurrence(days, times, "UTC", utc("2026-11-23 12:00")) is None


@settings(max_examples=100, deadline=None)
@given(
    days=st.sets(st.integers(1, 7), min_size=1),
    times=st.sets(st.times().map(lambda at: at.replace(second=0, microsecond=0)), min_size=1),
    zone=st.sampled_from([MADRID, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    after=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
)
def test_every_due_moment_is_on_a_chosen_day_and_at_a_chosen_time_or_the_end_of_a_gap(
    days: set[int], times: set[time], zone: str, after: datetime
) -> None:
    start = after.replace(tzinfo=UTC)
    previous = start
    for moment in islice(occurrences(days, times, zone, start), 5):
        local = moment.astimezone(ZoneInfo(zone))
        before = (moment - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        ends_a_gap = local.utcoffset() != before.utcoffset()
        assert moment > previous
        assert moment - previous <= timedelta(days=8)
        assert local.isoweekday() in days
        assert local.time() in times or ends_a_gap
        previous = moment
