"""What a large workspace is told from some of its profiles: counts, values, their shares."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.urls import reverse

from segments import preview, sampling, suggestions
from segments.models import Attribute, Profile
from segments.preview import TooSlow, glance, look
from segments.sampling import rounded
from segments.suggestions import spread, suggest
from tests.exports.pages import words
from tests.segments.factories import AttributeFactory, group, rule
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

SIZE = 3_000
CROWD = """
INSERT INTO segments_profile (workspace_id, key, attributes, created_at, updated_at)
SELECT %s, 'k' || lpad(n::text, 4, '0'), jsonb_build_object(
  'city', CASE WHEN n %% 30 = 1 THEN 'Oslo' WHEN n %% 3 > 0 THEN 'Rome' ELSE 'Paris' END,
  'points', n %% 100), now(), now()
FROM generate_series(0, %s - 1) n
"""


@pytest.fixture
def crowd(workspace: Workspace) -> Workspace:
    """Three thousand: one in three in Paris, one in thirty in Oslo, the rest in Rome."""
    AttributeFactory(workspace=workspace, name="city")
    AttributeFactory(workspace=workspace, name="points", type="number", position=1)
    with connection.cursor() as cursor:
        cursor.execute(CROWD, [workspace.pk, SIZE])
    cache.clear()
    return workspace


@pytest.fixture
def large(crowd: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The crowd, taken for so many that only some are looked at."""
    monkeypatch.setattr(sampling, "ALL_UP_TO", 1_000)
    monkeypatch.setattr(sampling, "DRAWN", 1_000)
    monkeypatch.setattr(suggestions, "LOOKED_AT", 1_000)
    return crowd


IN_PARIS = group(rule("city", "is", "paris"))
FORM = {
    "node": ["0", "0-0"],
    "match-0": "all",
    "subject-0-0": "a:city",
    "operator-0-0": "is",
    "value-0-0": "Paris",
}


def test_a_small_workspace_is_counted_exactly(crowd: Workspace) -> None:
    found = glance(crowd, IN_PARIS)
    assert (found.count, found.of, found.margin, len(found.sample)) == (1_000, SIZE, 0, 10)


def test_a_large_workspace_is_estimated_within_the_margin(large: Workspace) -> None:
    within = 0
    for _ in range(20):
        found = glance(large, IN_PARIS)
        assert found.of == SIZE
        assert 0 < found.margin < 150
        assert {one.attributes["city"] for one in found.sample} == {"Paris"}
        within += abs(found.count - 1_000) <= found.margin
    assert within >= 15


def test_every_profile_is_as_likely_to_be_drawn_though_ids_have_gaps(large: Workspace) -> None:
    Profile.objects.filter(key__lt="k1500").exclude(key__endswith="7").delete()
    cache.clear()
    counts = [glance(large, group(rule("points", "less_than", 50))).count for _ in range(10)]
    true = look(large, group(rule("points", "less_than", 50))).count
    assert abs(sum(counts) / 10 - true) < 0.1 * true


def test_nobody_in_the_sample_is_fewer_than_so_many(large: Workspace) -> None:
    found = glance(large, group(rule("city", "is", "Atlantis")))
    assert (found.count, found.sample) == (0, [])
    assert 5 <= found.margin <= 20
    page = words(signed_in(large).post(url("segment_preview", large), {**FORM, "value-0-0": "X"}))
    assert "fewer than about" in page


def url(name: str, workspace: Workspace) -> str:
    return reverse(f"segments:{name}", args=[workspace.slug])


def test_the_exact_count_follows_the_estimate_and_keeps_its_sample(large: Workspace) -> None:
    client = signed_in(large)
    first = client.post(url("segment_preview", large), FORM)
    assert "about" in words(first)
    assert "counting exactly…" in words(first)
    assert '"has_sample": "yes"' in first.content.decode()
    then = client.post(url("segment_preview", large), {**FORM, "exact": "yes", "has_sample": "yes"})
    assert "1,000 of 3,000 profiles" in words(then)
    assert "about" not in words(then)
    assert 'id="sample"' not in then.content.decode()


def test_where_the_exact_count_takes_too_long_the_estimate_stays(
    large: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(*_given: Any) -> None:
        raise TooSlow

    monkeypatch.setattr("segments.views.segment_builder.look", too_slow)
    answer = signed_in(large).post(url("segment_preview", large), {**FORM, "exact": "yes"})
    assert "counting exactly takes too long here" in words(answer)
    assert "hx-post" not in answer.content.decode()


def test_a_statement_that_takes_too_long_ends(
    crowd: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "SECONDS", 1)
    with pytest.raises(TooSlow), preview.bounded() as cursor:
        cursor.execute("SELECT pg_sleep(5)")


def test_values_come_with_their_counts_most_frequent_first(crowd: Workspace) -> None:
    found = suggest(crowd, "city")
    assert found.values == [("Rome", 1_900), ("Paris", 1_000), ("Oslo", 100)]
    assert found.is_exact
    assert suggest(crowd, "city", "O").values == [("Oslo", 100), ("Rome", 1_900)]
    assert suggest(crowd, "city", " pAr ").values == [("Paris", 1_000)]
    assert suggest(crowd, "city", "100%\0'").values == []


def test_values_of_a_large_workspace_are_counted_about(large: Workspace) -> None:
    found = suggest(large, "city")
    assert not found.is_exact
    assert [value for value, _count in found.values] == ["Rome", "Paris", "Oslo"]
    assert 1_500 < found.values[0][1] < 2_300
    page = words(signed_in(large).get(url("segment_values", large), {"attribute": "city"}))
    assert "Counted among" in page
    assert "of 3,000 profiles." in page


def test_it_is_told_how_numbers_and_days_lie(crowd: Workspace) -> None:
    points = Attribute.objects.get(name="points")
    found = spread(crowd, points)
    assert found is not None
    assert (found.least, found.middle, found.high, found.greatest) == (0, 49, 89, 99)
    born = AttributeFactory(workspace=crowd, name="born", type="date")
    assert spread(crowd, born) is None
    for key, day in {"k0001": "1999-12-31", "k0002": "2001-01-01", "k0003": "soon"}.items():
        Profile.objects.filter(key=key).update(attributes={"born": day, "income": 10_000.50})
    Profile.objects.filter(key="k0001").update(attributes={"born": "1999-12-31", "income": 900.0})
    AttributeFactory(workspace=crowd, name="income", type="number")
    client = signed_in(crowd)
    said = {
        name: words(
            client.get(url("segment_values", crowd), {"attribute": name, "spread": ""})
        ).strip()
        for name in ("points", "born", "income")
    }
    assert said["points"] == "From 0 to 99, half of them up to 50."
    assert said["born"].startswith("From 31 December 1999 to 1 January 2001")
    assert said["income"] == "From 900 to 10,000.5, half of them up to 10,000.5."


@pytest.mark.parametrize(
    ("number", "margin", "shown"),
    [(123_456, 4_200, 123_000), (123_456, 0.4, 123_456), (12.4, 2, 12), (149, 149, 100)],
)
def test_digits_that_mean_nothing_are_not_shown(number: float, margin: float, shown: int) -> None:
    assert rounded(number, margin) == shown
