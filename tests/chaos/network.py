"""Networks that can be cut: a worker in a network namespace of its own, with two ways out of it.

One way leads to PostgreSQL and Redis, the other to the provider. When a way is down, what is sent
on it vanishes, and neither end is told. Needs the rights of root, and `ip`.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2

from config.embedded import EmbeddedServices, database_url
from tests.chaos.processes import Kept, System

REDIS_PORT = 6379
# A block of the addresses set apart for measuring networks, which lead nowhere else.
BLOCK = "198.18"


class ReachableServices(EmbeddedServices):
    """They listen on every way as well, for as long as their data is kept."""

    def _start(self, name: str, command: list[str], answers: Any) -> None:
        if name == "Redis":
            command += ["--port", str(REDIS_PORT), "--protected-mode", "no"]
            command += ["--bind", *(way.here for place in PLACES for way in place.ways)]
        else:
            here = ",".join(way.here for place in PLACES for way in place.ways)
            command += ["-c", f"listen_addresses={here}"]
        super()._start(name, command, answers)
        if name == "PostgreSQL":
            self._admit(f"host all all {BLOCK}.0.0/16 trust")

    def _admit(self, rule: str) -> None:
        rules = self.data / "postgres" / "pg_hba.conf"
        if rule not in rules.read_text():
            rules.write_text(f"{rules.read_text()}\n{rule}\n")
        connection = psycopg2.connect(database_url(self.data, "postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_reload_conf()")
        connection.close()


@dataclass(frozen=True)
class Way:
    """A pair of virtual network devices; `here` is the address of its near end."""

    device: str
    number: int

    @property
    def here(self) -> str:
        return f"{BLOCK}.{self.number}.1"

    @property
    def there(self) -> str:
        return f"{BLOCK}.{self.number}.2"

    def build(self, namespace: str) -> None:
        far = f"{self.device}x"
        _ip("link", "add", self.device, "type", "veth", "peer", "name", far, "netns", namespace)
        _ip("addr", "add", f"{self.here}/30", "dev", self.device)
        _ip("link", "set", self.device, "up")
        _ip("-n", namespace, "addr", "add", f"{self.there}/30", "dev", far)
        _ip("-n", namespace, "link", "set", far, "up")

    def cut(self) -> None:
        _ip("link", "set", self.device, "down")

    def mend(self) -> None:
        _ip("link", "set", self.device, "up")


@dataclass(frozen=True)
class Place:
    """Where a worker lives: a network namespace."""

    number: int

    @property
    def name(self) -> str:
        return f"segue-{os.getpid()}-{self.number}"

    @property
    def to_services(self) -> Way:
        return Way(f"sg{os.getpid()}s{self.number}", 2 * self.number)

    @property
    def to_provider(self) -> Way:
        return Way(f"sg{os.getpid()}p{self.number}", 2 * self.number + 1)

    @property
    def ways(self) -> tuple[Way, Way]:
        return self.to_services, self.to_provider

    def build(self) -> None:
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        for way in self.ways:
            way.build(self.name)

    def remove(self) -> None:
        """The devices first: a namespace takes its own with it only some time after it is gone."""
        for way in self.ways:
            subprocess.run(["ip", "link", "del", way.device], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)

    def take_in(self, worker: Kept, system: System) -> None:
        """The worker is started there from now on, and knows the rest by its addresses only."""
        provider = f"http://{self.to_provider.here}:{system.sandbox.port}"
        worker.command = ["ip", "netns", "exec", self.name, *worker.command]
        worker.environment = worker.environment | {
            "DATABASE_URL": f"postgres://segue@{self.to_services.here}/segue",
            "REDIS_URL": f"redis://{self.to_services.here}:{REDIS_PORT}/0",
            "CONSTANT_CONTACT_AUTH_URL": f"{provider}/oauth2/default",
            "CONSTANT_CONTACT_API_URL": f"{provider}/v3",
        }


PLACES = (Place(0), Place(1))


@contextmanager
def places() -> Iterator[tuple[Place, ...]]:
    try:
        for place in PLACES:
            place.build()
        yield PLACES
    finally:
        for place in PLACES:
            place.remove()


def are_possible() -> bool:
    """Whether this machine lets us make network namespaces, and devices between them."""
    if shutil.which("ip") is None:
        return False
    try:
        with places():
            return True
    except subprocess.CalledProcessError:
        return False


def _ip(*arguments: str) -> None:
    try:
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as refusal:
        refusal.add_note(refusal.stderr)
        raise
