"""Audits the locked packages for known vulnerabilities by pip-audit: `make audit`.

It asks osv.dev, which wants the network. Without it, fetch the database where there is some,
https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip, bring it along, and
`make audit OSV=all.zip`. Ends with 0 when nothing is known, 1 when something is, and 2 when it
could not be found out.
"""

import argparse
import json
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import requests
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parent.parent
PIP_AUDIT = "pip-audit==2.10.1"
LOCKS = ("requirements.lock", "requirements-dev.lock")
OSV = "https://api.osv.dev/v1/query"
PATIENCE_SECONDS = 15


class Database:
    """The entries of osv.dev about packages of PyPI, from its archive of them."""

    def __init__(self, path: Path) -> None:
        self.entries: dict[str, list[dict[str, Any]]] = defaultdict(list)
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                entry = json.loads(archive.read(name))
                for affected in _of(entry):
                    package = affected["package"]
                    # pip-audit knows packages by these names alone.
                    package["name"] = canonicalize_name(package["name"])
                for package in {affected["package"]["name"] for affected in _of(entry)}:
                    self.entries[package].append(entry)

    def query(self, package: str, version: str) -> list[dict[str, Any]]:
        known = canonicalize_name(package)
        return [entry for entry in self.entries.get(known, []) if _concerns(entry, known, version)]


def _of(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "withdrawn" not in entry:
        for affected in entry.get("affected", []):
            if affected.get("package", {}).get("ecosystem") == "PyPI":
                yield affected


def _concerns(entry: dict[str, Any], package: str, version: str) -> bool:
    return any(
        version in affected.get("versions", [])
        or any(_is_in(one["events"], version) for one in affected.get("ranges", []) if _counts(one))
        for affected in _of(entry)
        if affected["package"]["name"] == package
    )


def _counts(versions: dict[str, Any]) -> bool:
    return bool(versions.get("type") == "ECOSYSTEM")


def _is_in(events: list[dict[str, str]], text: str) -> bool:
    """Whether the version lies between what introduced the fault and what mended it."""
    version, inside = Version(text), False
    known = [(_version(at), kind) for event in events for kind, at in event.items()]
    for at, kind in sorted(known):
        if kind == "introduced" and at <= version:
            inside = True
        elif (kind == "fixed" and at <= version) or (kind == "last_affected" and at < version):
            inside = False
    return inside


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


@contextmanager
def answering(database: Database) -> Iterator[str]:
    """The address at which it is asked as osv.dev is, from this machine alone."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = database.query(asked["package"]["name"], asked["version"])
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_about: object) -> None:
            """Nobody wants to read each question."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()


def _answers(url: str) -> bool:
    asked = {"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "1.0"}
    try:
        return requests.post(url, json=asked, timeout=PATIENCE_SECONDS).ok
    except requests.RequestException:
        return False


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--osv", type=Path, help="osv.dev's archive of PyPI's entries")
    archive: Path | None = arguments.parse_args().osv
    source: Any = answering(Database(archive)) if archive else nullcontext(OSV)
    with source as url:
        if not _answers(url):
            print(f"{url} does not answer, so nothing is known of the packages.", file=sys.stderr)
            print(f"\n{(__doc__ or '').strip()}", file=sys.stderr)
            return 2
        command = [str(Path(sys.executable).parent / "uv"), "tool", "run", "--from", PIP_AUDIT]
        command += ["pip-audit", "--disable-pip", "--progress-spinner", "off"]
        command += ["--vulnerability-service", "osv", "--osv-url", url]
        command += [word for lock in LOCKS for word in ("--requirement", lock)]
        return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())
