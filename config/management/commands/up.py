"""`manage.py up`: the whole system on one machine."""

import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from config import embedded, last_up
from config.commands import SegueCommand
from config.parts import Part, parts
from config.supervision import Supervisor

WATCH_SECONDS = 2
READY_SECONDS = 60
# Pages' files are found where they are, and who runs this as root knows.
OF_NO_USE_HERE = ("ignore:No directory at", "ignore:You're running the worker")


class Command(SegueCommand):
    reports = False
    help = "Runs everything: PostgreSQL, Redis, web, workers, scheduler, and the sandbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="with a demo workspace")
        parser.add_argument("--port", type=int, default=8000, help="of the web pages")
        parser.add_argument("--sandbox-port", type=int, default=8765, help="of the stand-in")

    def handle(self, *args: Any, **options: Any) -> None:
        port, sandbox_port = options["port"], options["sandbox_port"]
        with_sandbox = options["demo"] or not os.environ.get("CONSTANT_CONTACT_CLIENT_ID")
        self._set_environment(port, sandbox_port if with_sandbox else None)
        chosen = parts(
            port=port,
            sandbox_port=sandbox_port if with_sandbox else None,
            data=str(embedded.data_dir()),
        )
        for part in chosen:
            _ensure_free(part)
        with ExitStack() as stack:
            if settings.IS_LOCAL:
                self._start_services(stack)
            call_command("migrate", verbosity=0)
            self._run(chosen, demo=options["demo"])

    def _set_environment(self, port: int, sandbox_port: int | None) -> None:
        """What the parts must agree on; they are started with this process's environment."""
        embedded.data_dir().mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("BASE_URL", f"http://localhost:{port}")
        chosen = {"BASE_URL": os.environ["BASE_URL"]}
        if sandbox_port is not None:
            sandbox = f"http://localhost:{sandbox_port}"
            chosen |= {
                "CONSTANT_CONTACT_AUTH_URL": f"{sandbox}/oauth2/default",
                "CONSTANT_CONTACT_API_URL": f"{sandbox}/v3",
                "CONSTANT_CONTACT_CLIENT_ID": "segue-sandbox",
                "CONSTANT_CONTACT_CLIENT_SECRET": "segue-sandbox-secret",
            }
        os.environ.update(chosen)
        last_up.remember(chosen)

    def _start_services(self, stack: ExitStack) -> None:
        services = embedded.EmbeddedServices()
        try:
            stack.enter_context(services.using())
        except embedded.ServiceFailed as failure:
            raise CommandError(str(failure)) from failure
        self._line("postgres", str(services.sockets))
        self._line("redis", str(services.sockets / "redis.sock"))
        threading.Thread(target=self._watch, args=(services,), daemon=True).start()

    def _watch(self, services: embedded.EmbeddedServices) -> None:
        while True:
            time.sleep(WATCH_SECONDS)
            try:
                if services.revive():
                    self._line("services", "a service had ended; it runs again")
            except embedded.ServiceFailed as failure:
                self._line("services", str(failure))

    def _run(self, chosen: list[Part], *, demo: bool) -> None:
        supervisor = Supervisor()
        environment = os.environ | {"PYTHONWARNINGS": ",".join(OF_NO_USE_HERE)}
        for part in chosen:
            self._line(part.name, part.address or "running")
            supervisor.add_process(part.name, shlex.join(part.command), env=environment)
        if hasattr(settings, "EMAIL_FILE_PATH"):
            self._line("mail", f"kept as files in {settings.EMAIL_FILE_PATH}")
        threading.Thread(target=self._when_ready, args=(chosen, demo), daemon=True).start()
        supervisor.loop()

    def _when_ready(self, chosen: list[Part], demo: bool) -> None:
        for part in chosen:
            while part.port is not None and not _answers(part.port):
                self._line(part.name, f"does not answer at {part.address} yet; see its lines above")
        if demo:
            # What it counts for whoever watches a system is noise to a person who waits for pages.
            quietly = {"LOG_LEVEL": "WARNING"} | os.environ
            subprocess.run([sys.executable, "-u", "manage.py", "demo"], check=False, env=quietly)
        self.stdout.write(f"\nSegue is ready: {os.environ['BASE_URL']}/   (Ctrl-C stops it)\n")

    def _line(self, name: str, text: str) -> None:
        self.stdout.write(f"{name:9} {text}")
        self.stdout.flush()


def _ensure_free(part: Part) -> None:
    if part.port is None:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", part.port))
        except OSError as taken:
            option = "--port" if part.name == "web" else "--sandbox-port"
            raise CommandError(
                f"Port {part.port} is taken, and {part.name} needs it. End what uses it, or choose"
                f" another: manage.py up {option} {part.port + 1}"
            ) from taken


def _answers(port: int) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return True
    return False
