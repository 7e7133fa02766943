"""Starts the sandbox as a process of its own, for tests and benchmarks."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from sandbox.configuration import Configuration

START_SECONDS = 30
STOP_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SandboxProcess:
    """A context manager; its options are those of the command line, with underscores.

    An option that may be repeated takes a list.
    """

    client_id = Configuration.client_id
    client_secret = Configuration.client_secret

    def __init__(self, port: int | None = None, **options: object) -> None:
        self.port = port or free_port()
        self.options = options
        self.url = f"http://127.0.0.1:{self.port}"
        self.auth_url = f"{self.url}/oauth2/default"
        self.api_url = f"{self.url}/v3"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "SandboxProcess":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once it answers. Raises RuntimeError when it does not."""
        command = [sys.executable, "-m", "sandbox", "--port", str(self.port)]
        for name, value in self.options.items():
            for one in value if isinstance(value, list) else [value]:
                command += [f"--{name.replace('_', '-')}", str(one)]
        root = Path(__file__).resolve().parent.parent
        self.process = subprocess.Popen(command, cwd=root)  # noqa: S603 - our own program
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.control("statistics")
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.kill()
                    raise RuntimeError("the sandbox did not start") from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Orderly: what it took is done and, with `data`, kept."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def control(self, action: str, **values: Any) -> Any:
        """Asks a control endpoint; see `sandbox.control`. Raises ValueError when it refuses."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.url}/_control/{action}", json.dumps(values).encode(), method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            raise ValueError(refused.read().decode()) from None

    def tokens(self, account: str | None = None) -> dict[str, Any]:
        """A token pair, without the walk through the browser."""
        answer: dict[str, Any] = self.control("tokens", account=account)
        return answer

    def members(self, list_id: str, account: str | None = None) -> Iterator[dict[str, Any]]:
        """A list's contacts one by one, however many; `members` of `control` gives addresses."""
        query = urllib.parse.urlencode({"account": account} if account else {})
        url = f"{self.url}/_control/lists/{list_id}/members?{query}"
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - loopback
            yield from map(json.loads, answer)

    def lists(self) -> dict[str, str]:
        """The first account's lists: ids by name."""
        found: dict[str, str] = self.control("accounts")[0]["lists"]
        return found
