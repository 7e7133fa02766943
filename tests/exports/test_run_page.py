"""The page of a run: its account, its batches, the fate of every profile."""

import csv
import io
import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone, translation

from config import heartbeat
from exports.account import FATES, account
from exports.flow import flow_of
from exports.models import Batch, Destination, Rejection, Run
from exports.progress import progress_of
from exports.reasons import REASONS, label, text
from segments.models import Profile
from tests.exports.engine_world import World
from tests.exports.factories import (
    BatchFactory,
    ConnectionFactory,
    DestinationFactory,
    RejectionFactory,
    RunFactory,
)
from tests.exports.pages import administrator, contributor, url, viewer, words
from workspaces import keyset
from workspaces.models import AuditEntry
from workspaces.spreadsheet import written
from workspaces.written import percent


@pytest.fixture
def finished(shop: World) -> Run:
    """Three sent, one of them since unsubscribed at the provider; one doubled, two broken."""
    shop.sandbox.control(
        "seed", contacts=[{"email": "person2@example.com", "permission": "unsubscribed"}]
    )
    shop.add_people(3)
    shop.add(
        {"email": "person0@example.com", "key": "twin"},
        {"email": "not an address", "key": "broken"},
        {"key": "nothing", "first": "Ann"},
    )
    Profile.objects.filter(key="twin").update(updated_at=timezone.now() - timedelta(days=1))
    shop.know_everyones_preferences()
    return shop.run()


def get(run: Run, name: str = "run_detail", client: Any = None, **query: str) -> Any:
    client = client or viewer(run.workspace)
    return client.get(url(name, run.workspace, run.pk), query)


def find(run: Run, profile: str) -> list[tuple[str, str]]:
    page = get(run, "run_find", profile=profile)
    return [(fate.key, fate.name) for fate in page.context["found"]]


def test_the_account_on_the_page_adds_up_to_the_segments(finished: Run) -> None:
    page = get(finished)
    shown = page.context["account"]
    counts = {part.fate: part.count for part in shown.parts}
    assert counts == {
        "added": 2,
        "changed": 0,
        "unchanged": 0,
        "duplicate": 1,
        "invalid": 2,
        "suppressed": 0,
        "rejected": 1,
    }
    assert shown.in_segments == shown.total == 6
    assert "Adds up: every profile is accounted for" in words(page)
    assert "Succeeded with rejections" in words(page)


def test_an_account_that_does_not_add_up_is_not_hidden(workspace: Any) -> None:
    run = RunFactory(destination=DestinationFactory(workspace=workspace), in_segments=5, added=4)
    assert "The account does not add up" in words(get(run))


def test_the_bar_is_as_long_as_its_pieces_and_shows_the_smallest() -> None:
    counts = dict.fromkeys(FATES, 0) | {"added": 999_998, "rejected": 2}
    parts = account(counts, 1_000_000).present
    assert [part.fate for part in parts] == ["added", "rejected"]
    assert parts[0].start == 0
    assert parts[1].start == pytest.approx(parts[0].width)
    assert parts[0].width + parts[1].width == pytest.approx(100)
    assert parts[1].width > 0.5


def test_a_flow_leads_every_fate_from_the_segments_and_only_some_to_the_list() -> None:
    counts = dict.fromkeys(FATES, 0) | {"added": 70, "unchanged": 20, "invalid": 10}
    drawn = flow_of(account(counts, 100))
    assert drawn is not None
    assert [one.part.fate for one in drawn.streams if one.path] == ["added", "unchanged", "invalid"]
    assert [one.part.fate for one in drawn.streams if one.onward] == ["added", "unchanged"]
    assert drawn.listed == 90
    assert float(drawn.to_list.depth) == pytest.approx(0.9 * float(drawn.segments.depth), abs=0.1)


def test_the_account_is_drawn_and_taken_along_as_a_file(finished: Run) -> None:
    page = get(finished).content.decode()
    assert page.count('class="flow-stream"') == 5
    (data,) = re.findall(r'href="data:text/csv;charset=utf-8,([^"]*)"', page)
    lines = unquote(data).splitlines()
    assert lines[1] == 'Added,"New to the list, or sent anew",2'
    assert lines[-1] == "In segments,,6"


def test_an_account_of_nobody_has_no_bar() -> None:
    empty = account(dict.fromkeys(FATES, 0), 0)
    assert empty.present == []
    assert flow_of(empty) is None
    assert empty.adds_up


def test_those_not_sent_are_listed_with_a_reason_for_people(finished: Run) -> None:
    said = words(get(finished))
    for reason in (
        "Not an e-mail address",
        "No e-mail address",
        "Same address as another profile",
        "Unsubscribed",
    ):
        assert reason in said


def test_they_are_filtered_by_reason_and_found_by_key_or_address(finished: Run) -> None:
    def keys(**query: str) -> set[str]:
        page = get(finished, **query)
        return {rejection.profile_key for rejection, _label, _text in page.context["rows"]}

    assert len(keys()) == 4
    assert keys(why="invalid.no_address") == {"nothing"}
    assert keys(why="invalid") == {"nothing", "broken"}
    assert keys(search="twin") | keys(search="TWIN") == {"twin"}
    assert keys(search="not an") == {"broken"}
    assert keys(search="person2@EXAMPLE") == {"k0000002"}
    assert keys(search="nobody") == set()


def test_they_are_paged_forward_and_back_each_once(workspace: Any) -> None:
    run = RunFactory(destination=DestinationFactory(workspace=workspace))
    for number in range(60):
        reason = ("malformed_address", "no_address", "not_ascii")[number % 3]
        RejectionFactory(run=run, profile_key=f"p{number}", reason=reason)
    client = viewer(workspace)

    def page(where: str) -> Any:
        return client.get(where).context

    here = url("run_detail", workspace, run.pk)
    seen, marks = [], [here]
    while marks[-1]:
        context = page(marks[-1])
        seen += [rejection.profile_key for rejection, _l, _t in context["rows"]]
        marks.append(context["next_url"] and f"{here}{context['next_url']}")
    assert sorted(seen) == sorted(f"p{number}" for number in range(60))
    back = here + page(marks[2])["previous_url"]
    assert [one.pk for one, _l, _t in page(back)["rows"]] == [
        one.pk for one, _l, _t in page(marks[1])["rows"]
    ]
    first = page(here + page(back)["previous_url"])
    assert [one.profile_key for one, _l, _t in first["rows"]] == seen[:25]
    assert first["previous_url"] == ""
    assert page(f"{here}?after=nonsense")["rows"]


def test_they_are_sorted_where_they_are_not_too_many_to_sort(
    workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFactory(destination=DestinationFactory(workspace=workspace), planned_at=timezone.now())
    for key, address, reason in (("b", "z@x.co", "a"), ("a", "y@x.co", "c"), ("c", "x@x.co", "b")):
        RejectionFactory(run=run, profile_key=key, address=address, reason=reason)

    def keys(sort: str) -> str:
        rows = get(run, sort=sort).context["rows"]
        return "".join(rejection.profile_key for rejection, _label, _text in rows)

    assert (keys("reason"), keys("-reason")) == ("bca", "acb")
    assert (keys("profile"), keys("-profile"), keys("address")) == ("abc", "cba", "cab")
    assert "Profile E-mail address b z@x.co c x@x.co" in words(get(run, columns="address"))
    monkeypatch.setattr(keyset, "MOST_SORTED", 2)
    assert keys("profile") == "bca", "by what an index has"
    assert "sort=profile" not in get(run).content.decode()


def test_the_csv_holds_every_profile_not_sent(finished: Run) -> None:
    client = viewer(finished.workspace)
    answer = get(finished, "run_rejections_csv", client)
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert {row["Profile key"]: row["Reason"] for row in rows} == {
        "twin": "Same address as another profile",
        "broken": "Not an e-mail address",
        "nothing": "No e-mail address",
        "k0000002": "Unsubscribed",
    }
    entry = AuditEntry.objects.get(action="run.rejections_downloaded")
    assert entry.actor == client.member.user


def test_the_csv_follows_the_filter(finished: Run) -> None:
    answer = get(finished, "run_rejections_csv", kind="invalid", reason="no_address")
    assert b"nothing" in (content := b"".join(answer))
    assert b"twin" not in content


@pytest.mark.parametrize(
    "evil",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        '=cmd|" /C calc"!A0',
        "＝1",
        "\u200b=1",
    ],
)
def test_no_cell_of_the_csv_is_run_by_a_spreadsheet(workspace: Any, evil: str) -> None:
    run = RunFactory(destination=DestinationFactory(workspace=workspace))
    RejectionFactory(run=run, profile_key=evil, address=evil, detail=evil)
    answer = b"".join(get(run, "run_rejections_csv")).decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(answer, newline="")))
    for column in ("Profile key", "E-mail address"):
        assert row[column].startswith("'")
        assert row[column].replace("'", "") == evil


@pytest.mark.parametrize("evil", ["a;=1+1", ";=1", "a\n=1;", 'a;"=1"', "a; @SUM(A1)", "b\t-1"])
def test_a_spreadsheet_that_parts_cells_at_semicolons_runs_none_either(evil: str) -> None:
    """As one set to Spanish or Catalan does: commas and quotes mean nothing to it then."""
    (line,) = [line for line in written(["=Label"], [[evil]]) if "Label" not in line]
    for cell in re.split(r"[;\t\r\n]", line):
        assert not re.match(r'[\s"]*[=+@-]', cell)
    assert next(written(["=Label"], [])) == "\ufeff'=Label\r\n"


def test_the_csv_speaks_the_readers_language_to_its_end(workspace: Any) -> None:
    from exports import rejections_csv, selectors

    run = RunFactory(destination=DestinationFactory(workspace=workspace))
    RejectionFactory(run=run)
    with translation.override("es"):
        lines = rejections_csv.lines(run, selectors.rejections(run))
    with translation.override("en"):
        assert "Clave del perfil" in next(lines)
        list(lines)
        assert translation.get_language() == "en"


def test_any_profile_is_found_with_its_fate(finished: Run) -> None:
    assert find(finished, "k0000000") == [("k0000000", "sent")]
    assert find(finished, "PERSON1@example.com ") == [("k0000001", "sent")]
    assert find(finished, "twin") == [("twin", "left_out")]
    assert dict(find(finished, "person0@example.com")) == {
        "k0000000": "sent",
        "twin": "left_out",
    }
    assert find(finished, "person2@example.com") == [("k0000002", "left_out")]
    assert find(finished, "nobody@example.com") == []
    assert find(finished, "") == []
    assert "Sent in batch 1" in words(get(finished, "run_find", profile="k0000000"))
    assert "No profile has the key or the address" in words(
        get(finished, "run_find", profile="zzz")
    )


def test_what_was_not_sent_again_is_told_from_what_was(shop: World, finished: Run) -> None:
    profile = Profile.objects.get(key="k0000001")
    profile.attributes["first"] = "Renamed"
    profile.save()
    second = shop.run()
    assert find(second, "k0000000") == [("k0000000", "held")]
    assert find(second, "k0000001") == [("k0000001", "sent")]
    assert find(finished, "k0000001") == [("k0000001", "sent_later")]
    assert find(finished, "k0000000") == [("k0000000", "sent")]


def test_a_profile_outside_the_segments_was_not_in_the_run(shop: World, finished: Run) -> None:
    Profile.objects.create(
        workspace=shop.workspace, key="outside", attributes={"email": "outside@example.com"}
    )
    assert find(finished, "outside") == [("outside", "not_in_run")]
    assert find(finished, "outside@example.com") == [("outside", "not_in_run")]


def test_a_trial_run_says_that_it_sends_nothing(shop: World) -> None:
    shop.add_people(2)
    run = shop.run(dry_run=True)
    assert "Trial run: nothing is sent" in words(get(run))
    assert "Would be sent" in words(get(run))
    assert [stage.state for stage in progress_of(run).stages] == ["done", "ahead", "ahead", "ahead"]
    assert find(run, "k0000000") == [("k0000000", "would_be_sent")]


def test_every_reason_that_the_engine_gives_has_words() -> None:
    for code in [*Batch.Failure.values, *REASONS]:
        assert label(code) != code
        assert "%(" not in text(code, "first_name")
    assert "“First name” is longer" in text("field_too_long", "first_name")
    assert "The profile k7 has the same address" in text("duplicate_address", "k7")
    assert text("batch_failed", "It timed out.").endswith("It timed out.")
    assert text("never heard of", "") == "never heard of"


def sending(workspace: Any) -> Run:
    now = timezone.now()
    run = RunFactory(
        destination=DestinationFactory(workspace=workspace),
        state=Run.State.SENDING,
        created_at=now - timedelta(seconds=12),
        planned_at=now - timedelta(seconds=10),
        finished_at=None,
        in_segments=100,
        added=100,
    )
    sent = {"contacts": 40, "sent_at": now}
    BatchFactory(run=run, number=1, state="confirmed", **sent, ended_at=now)
    BatchFactory(run=run, number=2, state="sent", **sent, activity_id="an-activity")
    BatchFactory(run=run, number=3, state="planned", contacts=20)
    return run


def test_a_run_going_on_shows_how_far_it_is(workspace: Any) -> None:
    run = sending(workspace)
    progress = progress_of(run)
    assert (progress.to_send, progress.sent, progress.confirmed) == (100, 80, 40)
    assert progress.rate == pytest.approx(8, rel=0.1)
    assert progress.time_left == timedelta(seconds=10), "10 s * 80 / 120, up to the next five"
    assert [stage.state for stage in progress.stages] == ["done", "now", "ahead", "ahead"]
    said = words(get(run))
    assert "80 of 100 sent, 40 confirmed" in said
    assert "an-activity" in said


def test_whoever_has_watched_for_long_is_shown_it_less_often(workspace: Any) -> None:
    run = sending(workspace)
    long_ago = timezone.now() - timedelta(minutes=3)
    Run.objects.filter(pk=run.pk).update(started_at=long_ago)
    assert "every 3s" in get(run, "run_progress", seen="sending").content.decode()
    later = timezone.now() + timedelta(minutes=3)
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now(), waiting_until=later)
    assert "every 5s" in get(run, "run_progress", seen="sending").content.decode()


def test_the_page_asks_again_while_the_run_goes_on_and_then_stops(workspace: Any) -> None:
    run = sending(workspace)
    page = get(run, "run_progress", seen="sending")
    assert "every 1s" in page.content.decode()
    assert 'id="not-sent"' not in page.content.decode()
    moved = get(run, "run_progress", seen="planning")
    assert 'id="not-sent"' in moved.content.decode()
    assert moved["Live-Query"] == "seen=sending"
    Run.objects.filter(pk=run.pk).update(state="succeeded", finished_at=timezone.now())
    ended = get(run, "run_progress", seen="confirming")
    assert "every 1s" not in ended.content.decode()
    assert 'id="not-sent"' in ended.content.decode()
    assert 'id="run-actions"' in ended.content.decode()


def test_waiting_says_until_when_and_failing_says_why(workspace: Any) -> None:
    run = sending(workspace)
    Run.objects.filter(pk=run.pk).update(
        why={"code": "budget_spent"}, waiting_until=timezone.now() + timedelta(hours=3)
    )
    assert "Today’s requests to Constant Contact are spent. It goes on by itself:" in words(
        get(run)
    )
    Run.objects.filter(pk=run.pk).update(
        state="failed",
        waiting_until=None,
        why={"code": "sign_in_again"},
        finished_at=timezone.now(),
    )
    assert "Why it failed Constant Contact no longer accepts the authorisation." in words(get(run))
    run.refresh_from_db()
    assert [stage.state for stage in progress_of(run).stages][1] == "stopped"


def test_a_contributor_cancels_a_run_over_a_shared_connection(workspace: Any) -> None:
    run = sending(workspace)
    client = contributor(workspace)
    page = client.post(url("run_cancel", workspace, run.pk), follow=True)
    assert "The run is being cancelled" in words(page)
    run.refresh_from_db()
    assert run.cancel_requested_at is not None
    assert run.cancelled_by == client.member.user
    again = client.post(url("run_cancel", workspace, run.pk), follow=True)
    assert "being cancelled already" in words(again)


def test_who_refuses_a_run_is_told_what_becomes_of_it(workspace: Any) -> None:
    run = sending(workspace)
    Run.objects.filter(pk=run.pk).update(
        state="awaiting_approval", removal={"held": 9, "sample": []}
    )
    page = get(run, client=administrator(workspace))
    assert "Refuse this run? It ends here: nothing is sent" in words(page)
    assert 'data-dialog="refusal"' in page.content.decode()
    assert "Refuse this run?" not in words(get(run, client=viewer(workspace)))


def test_who_may_not_cancel_does_not_and_is_not_offered_to(workspace: Any) -> None:
    run = sending(workspace)
    looking = viewer(workspace)
    assert looking.post(url("run_cancel", workspace, run.pk)).status_code == 403
    assert "Cancel this run?" not in words(get(run, client=looking))
    Destination.objects.filter(pk=run.destination_id).update(
        connection=ConnectionFactory(workspace=workspace, sharing="administrators")
    )
    helper = contributor(workspace)
    assert helper.post(url("run_cancel", workspace, run.pk)).status_code == 403
    assert "Cancel this run?" in words(get(run, client=administrator(workspace)))


def test_the_page_of_a_run_with_many_rejections_makes_few_queries(
    workspace: Any, django_assert_max_num_queries: Any
) -> None:
    run = RunFactory(destination=DestinationFactory(workspace=workspace))
    Rejection.objects.bulk_create(
        RejectionFactory.build(run=run, workspace=workspace) for _ in range(300)
    )
    client = viewer(workspace)
    with django_assert_max_num_queries(20):
        get(run, client=client)


def test_a_profiles_page_tells_what_the_last_run_of_each_export_did(finished: Run) -> None:
    def said(key: str) -> str:
        profile = Profile.objects.get(key=key)
        where = reverse("segments:profile_detail", args=[finished.workspace.slug, profile.pk])
        return words(viewer(finished.workspace).get(where))

    assert "Sent in batch 1" in said("k0000001")
    assert "This person unsubscribed at Constant Contact" in said("k0000002")
    Profile.objects.create(workspace=finished.workspace, key="outside", attributes={})
    assert "Not in this run" in said("outside")


def test_taking_people_off_is_told_and_no_time_left_that_is_none(workspace: Any) -> None:
    run = sending(workspace)
    Batch.objects.filter(run=run).update(state="confirmed", ended_at=timezone.now())
    Run.objects.filter(pk=run.pk).update(
        state="confirming", sent_at=timezone.now(), to_remove=1200, removal={"step": "fill"}
    )
    said = words(get(run))
    assert "takes who left the segments off the list: 1,200" in said
    assert progress_of(Run.objects.get(pk=run.pk)).time_left is None


def test_what_every_run_waits_for_is_no_warning(workspace: Any) -> None:
    run = sending(workspace)
    soon = timezone.now() + timedelta(seconds=30)
    Run.objects.filter(pk=run.pk).update(
        why={"code": "reading_list", "requests": 4}, waiting_until=soon
    )
    said = words(get(run))
    assert "about 4 requests, however many they are" in said
    assert "Waiting" not in said


def test_a_queue_that_nobody_works_at_is_told_here_and_at_home(workspace: Any) -> None:
    asked = timezone.now() - timedelta(minutes=5)
    run = RunFactory(
        destination=DestinationFactory(workspace=workspace),
        state="queued",
        created_at=asked,
        started_at=None,
        planned_at=None,
        finished_at=None,
    )
    client = viewer(workspace)
    places = [url("run_detail", workspace, run.pk), f"/w/{workspace.slug}/"]
    heartbeat.beat()
    for place in places:
        said = words(client.get(place))
        assert "as soon as one is free. None has for more than a minute: if it" in said
    cache.set(heartbeat.KEY, asked)
    for place in places:
        said = words(client.get(place))
        assert "last were seen working together 5 min" in said
        assert "None has for" not in said


def test_a_queue_is_no_cause_for_worry_at_first(workspace: Any) -> None:
    made = {"created_at": timezone.now(), "started_at": None, "planned_at": None}
    run = RunFactory(
        destination=DestinationFactory(workspace=workspace),
        state="queued",
        finished_at=None,
        **made,
    )
    said = words(viewer(workspace).get(url("run_detail", workspace, run.pk)))
    assert "A worker takes it up as soon as one is free." in said
    assert "None has for" not in said


def test_home_says_what_a_run_waits_for(workspace: Any) -> None:
    RunFactory(
        destination=DestinationFactory(workspace=workspace),
        state="planning",
        finished_at=None,
        waiting_until=timezone.now() + timedelta(hours=4),
        why={"code": "budget_spent"},
    )
    said = words(viewer(workspace).get(f"/w/{workspace.slug}/"))
    assert "It goes on by itself:" in said


def test_a_failed_batch_says_how_it_failed_and_why(workspace: Any) -> None:
    run = sending(workspace)
    Batch.objects.filter(run=run, number=3).update(
        state="failed", failure="outcome_unknown", why={"code": "not_within_a_day"}
    )
    assert "Outcome unknown Constant Contact did not finish it within a day." in words(get(run))


@pytest.mark.parametrize(
    ("part", "shown"),
    [(0, "0"), (1, "<0.1"), (5_000, "0.5"), (999_999, ">99.9"), (1_000_000, "100")],
)
def test_a_share_is_never_shown_as_none_or_all_that_is_not(part: int, shown: str) -> None:
    assert percent(part, 1_000_000) == f"{shown}\N{NO-BREAK SPACE}%"
