"""The demo whose pictures are in the guides: on free ports, with data that is thrown away."""

import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "segments" / "samples" / "prospective_buyers.csv"
SLUG = "adventure-works"
WEST, PROFESSIONALS = "Families on the West Coast", "Professionals who earn well"


class Demo:
    """A demo that runs on free ports, with data of its own."""

    def __init__(self, data: Path) -> None:
        self.port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://localhost:{self.port}"
        self.sandbox = f"http://localhost:{self.sandbox_port}"
        here = {"SEGUE_DATA_DIR": str(data), "BASE_URL": self.url}
        unset = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        self.environment = {k: v for k, v in os.environ.items() if k not in unset} | here

    @contextmanager
    def running(self) -> Iterator[None]:
        ports = ["--port", str(self.port), "--sandbox-port", str(self.sandbox_port)]
        process = subprocess.Popen(  # noqa: S603
            [*self._manage("up"), "--demo", *ports],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said = []
            for line in process.stdout or ():
                said.append(line)
                if "Segue is ready" in line:
                    break
            else:
                raise SystemExit("The demo did not start:\n" + "".join(said[-20:]))
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)

    def command(self, *arguments: str, may_end: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(  # noqa: S603
            self._manage(*arguments),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in may_end:
            raise SystemExit(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def at_provider(self, action: str, **values: Any) -> Any:
        asked = urllib.request.Request(  # noqa: S310 - the sandbox's own address
            f"{self.sandbox}/_control/{action}", json.dumps(values).encode()
        )
        with urllib.request.urlopen(asked) as answer:  # noqa: S310
            return json.load(answer)

    def _manage(self, *arguments: str) -> list[str]:
        return [str(ROOT / ".venv/bin/python"), "manage.py", *arguments]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


CONFIGURATION = """
segue: 1
schedule:
  enabled: true
  days: [mon, tue, wed, thu, fri]
  times: ["06:00"]
  time_zone: America/Los_Angeles
segments:
  {professionals}:
    description: For the catalogue of road bikes.
    tags: [catalogue]
    rules:
      match: all
      rules:
        - {{attribute: Occupation, operator: is_any_of, value: [Professional, Management]}}
        - {{attribute: YearlyIncome, operator: at_least, value: {income}}}
destinations:
  Road bike catalogue:
    connection: Newsletter account
    list: Customers
    matching: {{email: EmailAddress, first_name: FirstName}}
    segments: [{professionals}]
  Family weekend:
    connection: Newsletter account
    list: Events
    matching: {{email: EmailAddress, first_name: FirstName, last_name: LastName}}
    segments: [{west}]
    schedule: {{runs: own, days: [fri], times: ["09:00"], time_zone: America/Los_Angeles}}
"""


def let_days_pass(demo: Demo, scratch: Path) -> None:
    """Work as a small shop has it: files that change, people who say no, a rule that goes wrong."""
    configure(demo, scratch, income=80_000)
    for state, moved in (("WA", 40), ("UT", 60), ("TX", 30), ("CA", 60)):
        changed = scratch / "prospective_buyers.csv"
        changed.write_text(with_moves(SAMPLE.read_text(encoding="utf-8-sig"), state, moved))
        key, name = "--key=ProspectAlternateKey", "--name=Prospective buyers"
        demo.command("import_profiles", SLUG, str(changed), key, name)
        demo.command("refresh", SLUG)
        if state == "UT":
            demo.command("run_export", SLUG, "Family weekend", "--wait")
    account = demo.at_provider("accounts")[0]
    newsletter = account["lists"]["Newsletter"]
    people = sorted(demo.at_provider("members", list_id=newsletter))
    for email in people[40:46]:
        demo.at_provider("unsubscribe", email=email)
    for email in people[80:83]:
        demo.at_provider("take_off", email=email, list_id=newsletter)
    demo.command("run_export", SLUG, "Monthly newsletter", "--full", "--wait")
    configure(demo, scratch, income=120_000)
    make_operator = "from workspaces.models import User; User.objects.update(is_staff=True)"
    demo.command("shell", "-c", make_operator)


def configure(demo: Demo, scratch: Path, *, income: int) -> None:
    file = scratch / "segue.yaml"
    file.write_text(CONFIGURATION.format(professionals=PROFESSIONALS, west=WEST, income=income))
    demo.command("config", "apply", SLUG, str(file))
    # The workers refresh what was changed; a refresh of all waits for its end, and for its exports.
    demo.command("refresh", SLUG, may_end=(0, 1, 3, 75))


def with_moves(text: str, state: str, moved: int) -> str:
    """The file with so many people moved to a state, and one income that is no number."""
    header, *lines = text.splitlines()
    place = header.split("|").index("StateProvinceCode")
    for number in range(moved):
        cells = lines[number * 7].split("|")
        cells[place] = state
        lines[number * 7] = "|".join(cells)
    return "\n".join([header, *lines])
