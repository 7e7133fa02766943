"""People at the screens and programs at the API, as `benchmarks.load` lets them loose.

LOAD_WORLD is a file of JSON with the workspaces: who signs in, the token, the ids of their things.
"""

import json
import os
import random
import re
import time
from pathlib import Path
from typing import Any

from locust import HttpUser, between, task

WORLD: list[dict[str, Any]] = json.loads(Path(os.environ["LOAD_WORLD"]).read_text())
ROWS_A_FILE = 2_000


class Marketer(HttpUser):
    """Looks around, edits rules, searches for a customer, starts the export now and then."""

    weight = 3
    wait_time = between(1, 4)

    def on_start(self) -> None:
        self.place = random.choice(WORLD)
        page = self.client.get("/accounts/login/", name="sign in")
        who = {"login": self.place["login"], "password": self.place["password"]}
        self._post("/accounts/login/", who, page.text, name="sign in")
        self.base = f"/w/{self.place['slug']}/"

    def _post(self, path: str, data: dict[str, Any], page: str, name: str) -> None:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        data["csrfmiddlewaretoken"] = token[1] if token else ""
        headers = {"Referer": f"{self.host}{path}"}
        self.client.post(path, data, headers=headers, name=name)

    def _get(self, path: str, name: str = "") -> str:
        return str(self.client.get(self.base + path, name=name or path or "home").text)

    @task(5)
    def look_around(self) -> None:
        for path in ("", "data/segments/", "data/exports/", "data/sources/", "notices/"):
            self._get(path)

    @task(4)
    def look_at_runs(self) -> None:
        self._get(f"data/exports/{self.place['destination']}/", name="an export")

    @task(3)
    def edit_rules(self) -> None:
        path = f"data/segments/{self.place['segment']}/edit/"
        page = self._get(path, name="the builder")
        rules = {
            "name": "Everyone",
            "node": ["0", "0-0"],
            "match-0": "all",
            "subject-0-0": "a:points",
            "operator-0-0": "at_least",
            "value-0-0": str(random.randrange(900)),
        }
        self._post(self.base + "data/segments/preview/", rules, page, name="count rules")

    @task(2)
    def search(self) -> None:
        self._get(f"data/profiles/?q=p{random.randrange(5_000)}", name="search profiles")

    @task(1)
    def refresh_segment(self) -> None:
        path = f"data/segments/{self.place['segment']}/"
        page = self._get(path, name="a segment")
        self._post(f"{self.base}{path}refresh/", {}, page, name="refresh a segment")


class Program(HttpUser):
    """Loads a file, waits for its end, runs the export, waits for that."""

    weight = 1
    wait_time = between(5, 10)

    def on_start(self) -> None:
        self.place = random.choice(WORLD)
        self.client.headers["Authorization"] = f"Bearer {self.place['token']}"

    @task
    def load_and_run(self) -> None:
        source, destination = self.place["source"], self.place["destination"]
        path = f"/api/v1/sources/{source}/loads?file_name=customers.csv"
        load = self.client.post(path, data=_file(), name="load a file").json()
        self._until_ended(f"/api/v1/loads/{load['id']}", name="ask for a load")
        started = f"/api/v1/destinations/{destination}/runs"
        with self.client.post(started, json={}, name="start a run", catch_response=True) as answer:
            if answer.status_code == 409:
                # Another program has it running: that is an answer, and no fault.
                answer.success()
                return
            run = answer.json()
        self._until_ended(f"/api/v1/runs/{run['id']}", name="ask for a run")

    def _until_ended(self, path: str, name: str) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            found = self.client.get(path, name=name).json()
            if found["finished_at"] is not None:
                return
            time.sleep(1)


def _file() -> bytes:
    rows = [
        f"k{n},p{n}@example.com,First{n},Last{random.randrange(90)},{random.randrange(999)}"
        for n in random.sample(range(5_000), ROWS_A_FILE)
    ]
    return "\n".join(["key,email,first,last,points", *rows, ""]).encode()
