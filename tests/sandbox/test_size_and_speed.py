"""As large as the provider takes it, and never slow about it."""

import time
from collections.abc import Callable
from typing import Any

import orjson
import psutil
import pytest

from tests.sandbox.asking import Api

PATH = "/activities/contacts_json_import"
JSON = {"Content-Type": "application/json"}
MANY = 40_000


@pytest.fixture
def api(sandbox: Any) -> Api:
    return Api(sandbox)


def rows(name: str, count: int = MANY, **more: str) -> list[dict[str, str]]:
    return [
        {"email": f"{name}{n}@x.example", "first_name": f"F{n}", "last_name": "L", **more}
        for n in range(count)
    ]


def seconds(what: Callable[[], Any]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def work(api: Api, what: Callable[[], Any]) -> float:
    """Seconds of a processor that the sandbox takes: the same beside other tests as alone."""
    process = psutil.Process(api.sandbox.process.pid)

    def spent() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    before = spent()
    what()
    return spent() - before


def test_a_body_is_read_up_to_four_million_bytes(api: Api) -> None:
    people = [{"email": f"p{n:05}@example.com", "street": "s" * 200} for n in range(15_500)]
    body = {"import_data": people, "list_ids": [api.sandbox.lists()["Newsletter"]]}
    text = orjson.dumps(body)
    assert len(text) < 4_000_000
    for size, dropped in ((4_000_000, False), (4_000_001, True)):
        padded = text + b" " * (size - len(text))
        answer = api.ask("POST", PATH, data=padded, headers=JSON)
        count = api.ended(answer)["status"]["person_count"]
        assert (count < len(people)) is dropped
        assert count >= len(people) - 1


@pytest.mark.parametrize("more", [{}, {"phone": "1"}])
def test_forty_thousand_contacts_take_no_time_new_or_known_plain_or_not(
    api: Api, more: dict[str, str]
) -> None:
    lists = [api.sandbox.lists()["Newsletter"]]
    body = orjson.dumps({"import_data": rows("a", **more), "list_ids": lists})

    def imported() -> None:
        ended = api.ended(api.ask("POST", PATH, data=body, headers=JSON))
        assert ended["status"]["person_count"] == MANY

    assert work(api, imported) < 1.5
    assert work(api, imported) < 1.5


def test_among_many_nothing_takes_longer(api: Api) -> None:
    lists = api.sandbox.lists()
    for name in ("a", "b", "c"):
        api.imported(rows(name))
    api.imported(rows("z", 500), "Events")
    found = api.get("/contacts", lists=lists["Events"], limit=500).json()["contacts"]
    assert len(found) == 500
    source = {"contact_ids": [one["contact_id"] for one in found]}
    removal = {"source": source, "list_ids": [lists["Events"]]}
    remove = "/activities/remove_list_memberships"
    asked: dict[str, Callable[[], Any]] = {
        "lists with sizes": lambda: api.get("/contact_lists", include_membership_count="active"),
        "one address": lambda: api.get("/contacts", email="c39999@x.example"),
        "a page of a list": lambda: api.get("/contacts", lists=lists["Newsletter"], limit=500),
        "a small list": lambda: api.get("/contacts", lists=lists["Events"], limit=500),
        "opt-outs": lambda: api.get("/contacts", optout_after="2020-01-01", limit=500),
        "500 taken off": lambda: api.ended(api.post(remove, removal)),
        "500 more": lambda: api.imported(rows("y", 500)),
    }
    for name, what in asked.items():
        assert work(api, what) < 0.5, name


def test_while_an_import_is_worked_on_others_are_answered(api: Api) -> None:
    body = {"import_data": rows("a", phone="1"), "list_ids": [api.sandbox.lists()["Newsletter"]]}
    started = api.post(PATH, body)
    waits = [seconds(lambda: api.get("/contact_lists")) for _ in range(5)]
    assert min(waits) < 0.3
    assert api.ended(started)["state"] == "completed"
