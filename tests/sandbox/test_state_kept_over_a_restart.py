"""With `--data` everything outlives the program, however it ends; without, nothing does."""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.process import SandboxProcess, free_port
from tests.sandbox.asking import Api, answered, exchange, refresh

ROOT = Path(__file__).resolve().parents[2]
IMPORT = "/activities/contacts_json_import"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.state"


@pytest.fixture
def keeping(data: Path) -> Iterator[SandboxProcess]:
    with SandboxProcess(data=data, rate_per_second=10_000, token_rate=1_000) as started:
        yield started


def restart(sandbox: SandboxProcess) -> None:
    sandbox.stop()
    sandbox.start()


def told(data: Path) -> tuple[int, str]:
    """How a start on this file ends, and what it says of it."""
    command = [sys.executable, "-m", "sandbox", "--port", str(free_port()), "--data", str(data)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    return ended.returncode, ended.stderr


def test_people_lists_fields_tokens_and_files_are_kept(keeping: SandboxProcess) -> None:
    api = Api(keeping)
    made = api.post("/contact_lists", {"name": "Kept"}).json()
    field = api.post("/contact_custom_fields", {"label": "Shoe", "type": "string"}).json()
    api.imported([{"email": "a@example.com", "first_name": "Pat", "cf:Shoe": "42"}], "Kept")
    api.imported([{"email": "left@example.com"}, {"email": "gone@example.com"}], "Kept")
    keeping.control("unsubscribe", email="left@example.com")
    keeping.control("delete", email="gone@example.com")
    activity = api.ended(api.post("/activities/contact_exports", {"list_ids": [made["list_id"]]}))
    emails = ("a@example.com", "left@example.com", "gone@example.com")
    before = [keeping.control("contact", email=email) for email in emails]
    restart(keeping)
    assert [keeping.control("contact", email=email) for email in emails] == before
    assert api.get(f"/contact_lists/{made['list_id']}").json() == made
    assert field in api.get("/contact_custom_fields").json()["custom_fields"]
    assert api.get(f"/activities/{activity['activity_id']}").json() == activity
    file = api.ask("GET", f"{keeping.url}{activity['_links']['results']['href']}")
    assert "a@example.com" in file.text
    assert len(list(keeping.members(made["list_id"]))) == 1


def test_codes_and_refresh_tokens_are_kept_and_a_spent_one_stays_spent(
    keeping: SandboxProcess,
) -> None:
    first = keeping.tokens()["refresh_token"]
    second = refresh(keeping, first).json()["refresh_token"]
    other = keeping.control("accounts")[1]["account"]
    code = answered(keeping)["code"]
    apart = keeping.tokens(account=other)["refresh_token"]
    restart(keeping)
    assert refresh(keeping, first).json()["error"] == "invalid_grant"
    assert refresh(keeping, apart).status_code == 200
    assert refresh(keeping, second).status_code == 200
    assert exchange(keeping, code).status_code == 200


def test_the_days_requests_are_kept(keeping: SandboxProcess) -> None:
    api = Api(keeping)
    assert [api.get("/contact_lists").status_code for _ in range(3)] == [200] * 3
    restart(keeping)
    assert keeping.control("statistics")["today"] == 3


def test_what_was_taken_is_done_before_it_ends(keeping: SandboxProcess) -> None:
    api = Api(keeping)
    keeping.control("configure", activity_latency=60)
    body = {"import_data": [{"email": "a@example.com"}], "list_ids": [keeping.lists()["Events"]]}
    made = api.post(IMPORT, body).json()
    restart(keeping)
    assert api.get(f"/activities/{made['activity_id']}").json()["state"] == "completed"
    assert keeping.control("contact", email="a@example.com")


def test_after_a_power_cut_it_is_as_it_was_seconds_before(
    keeping: SandboxProcess, data: Path
) -> None:
    api = Api(keeping)
    api.imported([{"email": "a@example.com"}])
    keeping.control("configure", activity_latency=60)
    body = {"import_data": [{"email": "b@example.com"}], "list_ids": [keeping.lists()["Events"]]}
    assert api.post_often(IMPORT, body, 1_000) == {201}
    waiting = api.get("/activities").json()["activities"][0]["activity_id"]
    taken, deadline = time.time(), time.monotonic() + 20
    while not data.exists() or data.stat().st_mtime < taken:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    keeping.kill()
    keeping.start()
    assert keeping.control("contact", email="a@example.com")
    ended = api.get(f"/activities/{waiting}").json()
    assert (ended["state"], ended["percent_done"]) == ("timed_out", 100)
    assert ended["activity_errors"]
    # None of the thousand takes a place in the queue any more.
    assert api.ended(api.post(IMPORT, body))["state"] == "completed"


def test_without_a_file_it_starts_as_new() -> None:
    with SandboxProcess(rate_per_second=1_000) as forgetful:
        Api(forgetful).imported([{"email": "a@example.com"}])
        restart(forgetful)
        assert forgetful.control("accounts")[0]["contacts"] == 0


def test_a_damaged_file_is_not_started_on_and_left_alone(data: Path) -> None:
    data.write_bytes(b"no state")
    code, said = told(data)
    assert code != 0
    assert "move it away" in said
    assert "Traceback" not in said
    assert data.read_bytes() == b"no state"


def test_a_cut_off_file_is_not_started_on(keeping: SandboxProcess, data: Path) -> None:
    keeping.stop()
    os.truncate(data, data.stat().st_size // 2)
    code, said = told(data)
    assert (code != 0, "move it away" in said) == (True, True)


def test_another_versions_file_is_kept_aside_and_it_starts_as_new(data: Path) -> None:
    with data.open("wb") as file:
        pickle.dump(1, file)
        pickle.dump({"accounts": "of long ago"}, file)
    aside, old = data.with_name(f"{data.name}.old"), data.read_bytes()
    with SandboxProcess(data=data) as started:
        assert started.control("accounts")[0]["contacts"] == 0
    assert aside.read_bytes() == old


def test_what_is_left_of_writing_is_one_file(keeping: SandboxProcess, data: Path) -> None:
    Api(keeping).imported([{"email": "a@example.com"}])
    restart(keeping)
    keeping.stop()
    assert [path.name for path in data.parent.iterdir()] == [data.name]


def test_a_hundred_thousand_contacts_are_kept_and_back_in_a_moment(keeping: Any) -> None:
    api = Api(keeping)
    for part in "abc":
        api.imported([{"email": f"{part}{n}@example.com"} for n in range(40_000)])
    started = time.monotonic()
    restart(keeping)
    assert time.monotonic() - started < 10
    assert keeping.control("accounts")[0]["contacts"] == 120_000
