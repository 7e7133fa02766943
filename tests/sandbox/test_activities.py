"""Activities: their states, their order, what the list of them shows and for how long."""

import time
from typing import Any

import pytest
import requests

from tests.sandbox.asking import Api

PATH = "/activities/contacts_json_import"
DAY = 86_400
MINIMUM = {
    "activity_id",
    "state",
    "created_at",
    "updated_at",
    "percent_done",
    "activity_errors",
    "status",
    "_links",
}


@pytest.fixture
def api(sandbox: Any) -> Api:
    return Api(sandbox)


def started(api: Api, *names: str) -> Any:
    rows = [{"email": f"{name}@example.com"} for name in names or ["a"]]
    return api.post(PATH, {"import_data": rows, "list_ids": [api.sandbox.lists()["Newsletter"]]})


def test_a_new_one_tells_little_and_an_ended_one_more(api: Api) -> None:
    api.sandbox.control("configure", activity_latency=0.2)
    answer = started(api)
    new = answer.json()
    assert set(new) == {*MINIMUM, "source_file_name"}
    assert (new["state"], new["percent_done"]) == ("initialized", 1)
    assert new["_links"] == {"self": {"href": f"/v3/activities/{new['activity_id']}"}}
    ended = api.ended(answer)
    assert set(ended) - set(new) == {"started_at", "completed_at"}
    assert (ended["state"], ended["percent_done"]) == ("completed", 100)
    assert ended["source_file_name"] == "upload_from_json.csv"


def test_they_are_worked_off_in_their_order(api: Api) -> None:
    answers = [
        api.post(
            PATH,
            {
                "import_data": [{"email": "a@example.com", "first_name": f"F{number}"}],
                "list_ids": [api.sandbox.lists()["Newsletter"]],
            },
        )
        for number in range(20)
    ]
    for answer in answers:
        api.ended(answer)
    assert api.sandbox.control("contact", email="a@example.com")["first_name"] == "F19"


def test_the_newest_come_first_page_by_page(api: Api) -> None:
    made = [api.ended(started(api))["activity_id"] for _ in range(7)]
    first = api.get("/activities", limit=4).json()
    second = api.ask("GET", f"{api.sandbox.url}{first['_links']['next']['href']}").json()
    shown = [one["activity_id"] for page in (first, second) for one in page["activities"]]
    assert shown == made[::-1]
    assert "_links" not in second


def test_they_are_chosen_by_state(api: Api) -> None:
    api.sandbox.control("fault", kind="activity_failed", count=1)
    failed, well = api.ended(started(api)), api.ended(started(api))
    for state, wanted in (("failed", failed), ("completed", well)):
        (found,) = api.get("/activities", state=state).json()["activities"]
        assert found == wanted
    assert api.get("/activities", state="cancelled").json()["activities"] == []


def test_they_are_known_for_ten_days(api: Api) -> None:
    old = api.ended(started(api))
    for days, status, count in ((9, 200, 1), (11, 404, 0)):
        api.sandbox.control("clock", offset=days * DAY)
        api = Api(api.sandbox)
        assert api.get(f"/activities/{old['activity_id']}").status_code == status
        assert len(api.get("/activities").json()["activities"]) == count


def test_another_accounts_are_not_found(api: Api) -> None:
    made = api.ended(started(api))
    other = Api(api.sandbox, account=api.sandbox.control("accounts")[1]["account"])
    assert other.get(f"/activities/{made['activity_id']}").status_code == 404
    assert other.get("/activities").json()["activities"] == []


def test_an_import_of_nothing_but_bad_rows_completes_and_says_so_in_numbers(api: Api) -> None:
    ended = api.imported([{"email": "bad"}, {"email": "worse"}])
    assert ended["state"] == "completed"
    assert ended["status"]["correctable_count"] == 2
    assert api.sandbox.control("accounts")[0]["contacts"] == 0


def test_one_that_fails_says_why(api: Api) -> None:
    api.sandbox.control("fault", kind="activity_failed", count=1)
    ended = api.ended(started(api))
    assert ended["activity_errors"] == ["The file could not be processed."]
    assert ended["completed_at"]


def test_a_stuck_one_does_not_hold_up_the_others_but_takes_a_place_in_the_queue(
    api: Api,
) -> None:
    api.sandbox.control("fault", kind="activity_stuck", count=1)
    stuck = started(api, "never").json()["activity_id"]
    assert api.ended(started(api, "well"))["state"] == "completed"
    assert api.get(f"/activities/{stuck}").json()["state"] == "processing"
    assert api.sandbox.control("contact", email="never@example.com") is None
    assert api.sandbox.control("contact", email="well@example.com")


def test_a_lost_answer_is_found_in_the_list(api: Api) -> None:
    before = time.time()
    api.sandbox.control("fault", kind="cut_after", count=1)
    with pytest.raises(requests.ConnectionError):
        started(api)
    (found,) = api.get("/activities").json()["activities"]
    assert found["created_at"] >= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(before))
