"""The list of exports and the page of one."""

from datetime import timedelta
from html import unescape
from typing import Any

from django.utils import timezone

from connections.models import Connection
from exports.models import Destination, Run
from segments.models import Attribute
from tests.exports.factories import (
    ConnectionFactory,
    DestinationFactory,
    RunFactory,
    SegmentFactory,
)
from tests.exports.pages import administrator, contributor, url, viewer, words


def names(client: Any, workspace: Any, **query: str) -> list[str]:
    page = client.get(url("destination_list", workspace), query)
    return [line.destination.name for line in page.context["lines"]]


def test_an_empty_list_leads_to_the_first_export(workspace: Any) -> None:
    page = administrator(workspace).get(url("destination_list", workspace))
    assert "No exports yet" in words(page)
    assert url("destination_add", workspace) in page.content.decode()
    looking = viewer(workspace).get(url("destination_list", workspace))
    assert url("destination_add", workspace) not in looking.content.decode()


def test_a_line_shows_where_it_goes_how_it_went_and_who_changed_it(workspace: Any) -> None:
    client = administrator(workspace)
    destination = DestinationFactory(
        workspace=workspace, name="Weekly", list_name="Readers", updated_by=client.member.user
    )
    RunFactory(destination=destination, state="failed", created_at=timezone.now())
    said = words(client.get(url("destination_list", workspace)))
    for part in (
        "Weekly",
        "Constant Contact",
        destination.connection.name,
        "Readers",
        "Failed",
        "With every refresh",
        str(client.member.user),
        "Edit",
    ):
        assert part in said


def test_the_status_is_that_of_its_own_last_run_and_not_of_a_trial(workspace: Any) -> None:
    destination = DestinationFactory(workspace=workspace)
    now = timezone.now()
    RunFactory(destination=destination, state="failed", created_at=now - timedelta(hours=2))
    last = RunFactory(
        destination=destination, state="succeeded", created_at=now - timedelta(hours=1)
    )
    RunFactory(destination=destination, state="skipped", created_at=now, dry_run=True)
    page = administrator(workspace).get(url("destination_list", workspace))
    assert page.context["lines"][0].last_run == last


def test_exports_are_found_by_name_connection_list_and_type(workspace: Any) -> None:
    account = ConnectionFactory(workspace=workspace, name="Harbour account")
    DestinationFactory(workspace=workspace, name="Alpha", connection=account, list_name="Readers")
    DestinationFactory(workspace=workspace, name="Beta", list_name="Buyers")
    client = administrator(workspace)
    assert names(client, workspace, search="alph") == ["Alpha"]
    assert names(client, workspace, search="harbour") == ["Alpha"]
    assert names(client, workspace, search="buy") == ["Beta"]
    assert names(client, workspace, search="constant") == ["Alpha", "Beta"]
    page = client.get(url("destination_list", workspace), {"search": "zeta"})
    assert "Nothing found" in words(page)


def test_every_column_sorts_both_ways(workspace: Any) -> None:
    now = timezone.now()
    for number, name in enumerate(("b", "a", "c")):
        destination = DestinationFactory(
            workspace=workspace,
            name=name,
            list_name=name,
            connection=ConnectionFactory(workspace=workspace, name=f"{name} account"),
            updated_at=now + timedelta(minutes="abc".index(name)),
        )
        RunFactory(destination=destination, created_at=now + timedelta(minutes="abc".index(name)))
        assert number < 3
    client = administrator(workspace)
    for column in ("name", "connection", "list", "run", "updated"):
        assert names(client, workspace, sort=column) == ["a", "b", "c"], column
        assert names(client, workspace, sort=f"-{column}") == ["c", "b", "a"], column
    assert names(client, workspace, sort="nonsense") == ["a", "b", "c"]
    page = client.get(url("destination_list", workspace), {"sort": "-run"})
    assert 'aria-sort="descending"' in page.content.decode()


def test_a_long_list_is_paged(workspace: Any) -> None:
    account = ConnectionFactory(workspace=workspace)
    for number in range(26):
        DestinationFactory(workspace=workspace, connection=account, name=f"Export {number:03}")
    client = administrator(workspace)
    for sort in ("", "name", "run", "schedule"):
        page = client.get(url("destination_list", workspace), {"sort": sort})
        assert [line.destination.name for line in page.context["lines"]][-1] == "Export 024"
        there = page.context["next_url"]
        page = client.get(url("destination_list", workspace) + there)
        assert [line.destination.name for line in page.context["lines"]] == ["Export 025"]
        assert page.context["next_url"] == ""
        back = client.get(url("destination_list", workspace) + page.context["previous_url"])
        assert len(back.context["lines"]) == 25
        assert back.context["previous_url"] == ""
    for nonsense in ("x", "e30", "WzFd", "\0", "W251bGwsIDFd"):
        assert len(names(client, workspace, after=nonsense)) == 25


def test_the_columns_chosen_are_in_the_url_and_stay_while_one_searches_and_sorts(
    workspace: Any,
) -> None:
    DestinationFactory(workspace=workspace, name="Weekly")
    asked = {"columns": ["created", "mode", "nonsense"], "search": "week"}
    html = administrator(workspace).get(url("destination_list", workspace), asked).content.decode()
    head = html[html.index("<thead>") : html.index("</thead>")]
    assert "Created" in head
    assert "People who leave" in head
    assert "Connection used" not in head
    assert "?columns=created&columns=mode" in unescape(head).replace("&columns=nonsense", "")
    form = html[html.index('role="search"') :]
    assert '<input type="hidden" name="columns" value="mode">' in form[: form.index("</form>")]
    menu = html[html.index('id="found-columns"') :]
    assert '<input type="hidden" name="search" value="week">' in menu
    assert 'value="connection">' in menu
    assert 'value="mode" checked>' in menu


def test_the_number_of_queries_does_not_grow_with_the_list(
    workspace: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        RunFactory(destination=DestinationFactory(workspace=workspace))
    client = administrator(workspace)
    # The first page of a browser is kept as one where somebody is signed in.
    client.get(url("destination_list", workspace))
    with django_assert_max_num_queries(10):
        client.get(url("destination_list", workspace))


def test_your_permissions_say_what_you_may_do(workspace: Any) -> None:
    DestinationFactory(workspace=workspace, name="Shared")
    DestinationFactory(
        workspace=workspace,
        name="Private",
        connection=ConnectionFactory(workspace=workspace, sharing="administrators"),
    )

    def editable(client: Any) -> dict[str, bool]:
        page = client.get(url("destination_list", workspace))
        return {line.destination.name: line.editable for line in page.context["lines"]}

    assert editable(administrator(workspace)) == {"Shared": True, "Private": True}
    assert editable(contributor(workspace)) == {"Shared": True, "Private": False}
    assert editable(viewer(workspace)) == {"Shared": False, "Private": False}


def test_the_page_shows_the_configuration_in_words(workspace: Any) -> None:
    Attribute.objects.create(workspace=workspace, name="mail", label="E-mail", type="text")
    Attribute.objects.create(workspace=workspace, name="town", label="Town", type="text")
    segment = SegmentFactory(workspace=workspace, name="Sailors", member_count=1234)
    destination = DestinationFactory(
        workspace=workspace,
        matching={"work_city": "town", "email": "mail", "first_name": "lost"},
        segments=[segment],
    )
    page = viewer(workspace).get(url("destination_detail", workspace, destination.pk))
    said = words(page)
    assert [one["label"] for one in page.context["matches"]] == [
        "Email",
        "First name",
        "Work address: City",
    ]
    for part in ("Sailors", "1,234", "lost (no longer exists)", destination.list_id, "Not yet"):
        assert part in said or part == "Not yet"


def test_the_history_tells_state_starter_counts_and_duration(workspace: Any) -> None:
    client = administrator(workspace)
    destination = DestinationFactory(workspace=workspace)
    started = timezone.now() - timedelta(hours=1)
    RunFactory(
        destination=destination,
        created_at=started,
        finished_at=started + timedelta(seconds=75),
        started_by=client.member.user,
        in_segments=1500,
        added=1000,
        changed=200,
        unchanged=200,
        duplicate=40,
        invalid=30,
        suppressed=20,
        rejected=10,
    )
    RunFactory(destination=destination, trigger="schedule", planned_at=None, state="skipped")
    said = words(client.get(url("destination_detail", workspace, destination.pk)))
    for part in ("1,200", "200", "90", "10", "1 min 15 s", str(client.member.user)):
        assert part in said
    assert "Its own schedule" in said
    assert "Skipped" in said


def test_runs_are_paged_both_ways_and_sorted_by_any_figure(workspace: Any) -> None:
    destination = DestinationFactory(workspace=workspace)
    begun = timezone.now()
    runs = [
        RunFactory(
            destination=destination,
            added=number % 7,
            started_at=begun,
            finished_at=begun + timedelta(seconds=number % 11),
        )
        for number in range(25)
    ]
    client = viewer(workspace)
    where = url("destination_detail", workspace, destination.pk)

    def shown(address: str) -> list[int]:
        nonlocal page
        page = client.get(f"{where}{address}")
        return [run.pk for run in page.context["runs"]]

    page: Any = None
    newest = shown("")
    assert newest == [run.pk for run in runs[:4:-1]]
    assert page.context["next_url"].endswith("#runs")
    assert shown(page.context["next_url"]) == [run.pk for run in runs[4::-1]]
    assert shown(page.context["previous_url"]) == newest
    for sort, key in (("sent", lambda run: run.sent), ("took", lambda run: run.took)):
        by_it = [run.pk for run in sorted(runs, key=lambda run: (key(run), run.pk))]
        assert shown(f"?sort={sort}") == by_it[:20]
        assert shown(page.context["next_url"]) == by_it[20:]
        assert shown(f"?sort=-{sort}") == by_it[:4:-1]
    assert client.get(where, {"before": "x", "sort": "nothing"}).status_code == 200


def test_a_large_export_asks_before_it_runs(workspace: Any) -> None:
    segment = SegmentFactory(workspace=workspace, member_count=60_000)
    destination = DestinationFactory(workspace=workspace, segments=[segment])
    client = administrator(workspace)
    where = url("destination_detail", workspace, destination.pk)
    assert 'data-dialog="run"' in client.get(where).content.decode()
    segment.member_count = 10
    segment.save()
    assert 'data-dialog="run"' not in client.get(where).content.decode()


def test_removing_says_that_what_was_sent_stays(workspace: Any) -> None:
    destination = DestinationFactory(workspace=workspace)
    said = words(administrator(workspace).get(url("destination_detail", workspace, destination.pk)))
    assert "stay on the list “Newsletter” at Constant Contact: nobody is taken off" in said


def test_running_starts_a_run_and_shows_it(workspace: Any) -> None:
    destination = DestinationFactory(workspace=workspace)
    client = contributor(workspace)
    answer = client.post(url("destination_run", workspace, destination.pk))
    run = Run.objects.get()
    assert answer.url == url("run_detail", workspace, run.pk)
    assert (run.trigger, run.started_by, run.full, run.dry_run) == (
        "member",
        client.member.user,
        False,
        False,
    )
    again = client.post(url("destination_run", workspace, destination.pk), follow=True)
    assert "This export is running already" in words(again)


def test_everyone_can_be_sent_again_and_a_trial_made(workspace: Any) -> None:
    client = administrator(workspace)
    for choice in ("full", "dry_run"):
        destination = DestinationFactory(workspace=workspace)
        client.post(url("destination_run", workspace, destination.pk), {choice: "yes"})
        run = Run.objects.get(destination=destination)
        assert {"full": run.full, "dry_run": run.dry_run}[choice] is True


def test_a_connection_that_needs_sign_in_stays_on_its_exports(workspace: Any) -> None:
    destination = DestinationFactory(workspace=workspace)
    Connection.objects.update(state="needs_sign_in")
    page = administrator(workspace).get(url("destination_detail", workspace, destination.pk))
    assert page.status_code == 200
    assert Destination.objects.get().connection is not None
