"""`make bench`: DESIGN's table of speeds, as ratios measured in one run on this machine.

Starts a PostgreSQL, a Redis and a sandbox of its own. Exits with status 1 when a bound is missed.
`BENCH_PROFILES` makes it smaller, for trying it out; the bounds are for 1,000,000.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded import EmbeddedServices, database_url, redis_url
from sandbox.process import SandboxProcess

ROOT = Path(__file__).resolve().parent.parent
PROFILES = int(os.environ.get("BENCH_PROFILES", "1000000"))
DLT_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
CONTACTS_A_REQUEST = 40_000
BYTES_A_REQUEST = 4_000_000
# {"email":"","first_name":"","last_name":""} and a comma, around the rows' own bytes.
BYTES_AROUND = 44


@dataclass
class Line:
    what: str
    measured: str
    ratio: float
    bound: float
    unit: str = "×"

    @property
    def holds(self) -> bool:
        return self.ratio <= self.bound


class Bench:
    def __init__(self, data: Path, sandbox: SandboxProcess) -> None:
        self.data = data
        self.sandbox = sandbox
        self.environment = os.environ | {
            "DATABASE_URL": database_url(data),
            "REDIS_URL": redis_url(data),
            "SEGUE_DATA_DIR": str(data),
            "SECRET_KEY": "only-for-benchmarks-" * 4,
            "TOKEN_ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
            "CONSTANT_CONTACT_CLIENT_ID": sandbox.client_id,
            "CONSTANT_CONTACT_CLIENT_SECRET": sandbox.client_secret,
            "CONSTANT_CONTACT_AUTH_URL": sandbox.auth_url,
            "CONSTANT_CONTACT_API_URL": sandbox.api_url,
            "CONSTANT_CONTACT_RATE_PER_SECOND": "10000",
            "CONSTANT_CONTACT_RATE_PER_DAY": "1000000",
            "LOG_LEVEL": "WARNING",
        }

    def step(self, name: str, *values: object) -> dict[str, Any]:
        started = time.perf_counter()
        found = self._python(sys.executable, "benchmarks.steps", name, *map(str, values))
        print(f"  {name:12} {time.perf_counter() - started:7.1f} s  {found}", flush=True)
        return found

    def dlt(self, fewest: int) -> dict[str, Any] | None:
        if not DLT_PYTHON.exists():
            return None
        self.environment |= {
            "BENCH_TOKEN": self.sandbox.tokens()["access_token"],
            "BENCH_LIST": self.sandbox.lists()["Newsletter"],
            "BENCH_SQLALCHEMY_URL": f"postgresql+psycopg2://segue@/segue?host={self.data / 'run'}",
            "BENCH_DIR": str(self.data / "dlt"),
            "BENCH_BATCH": str(-(-PROFILES // fewest)),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        found = self._python(str(DLT_PYTHON), "benchmarks.with_dlt")
        print(f"  dlt          {found}", flush=True)
        return found

    def _python(self, python: str, module: str, *values: str) -> dict[str, Any]:
        done = subprocess.run(
            [python, "-m", module, *values],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def measure(self) -> list[Line]:
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0"],
            cwd=ROOT,
            env=self.environment,
            check=True,
        )
        small = self.step("prepare", PROFILES // 10)["workspace"]
        small_run = self.step("run", small)
        workspace = self.step("prepare", PROFILES)["workspace"]
        rows = min(
            (self.step("copy_out", workspace) for _ in range(3)), key=lambda row: row["seconds"]
        )
        copied = rows["seconds"]
        self.step("plain_table", workspace)
        in_bytes = rows["bytes"] + PROFILES * (BYTES_AROUND - len("\t\t\n"))
        fewest = max(-(-PROFILES // CONTACTS_A_REQUEST), -(-in_bytes // BYTES_A_REQUEST))
        moved = self.dlt(fewest)
        first = self.step("run", workspace)
        unchanged = self.step("run", workspace)
        self.step("change", workspace)
        changed = self.step("run", workspace)
        refreshed = self.step("refresh", workspace)
        file = self.data / "profiles.csv"
        self.step("write_csv", file, PROFILES)
        plain = min(self.step("copy_in", file)["seconds"] for _ in range(2))
        imported = self.step("import_csv", file)

        def ratio(one: dict[str, Any], other: dict[str, Any] | float) -> float:
            base = other if isinstance(other, float) else float(other["seconds"])
            return float(one["seconds"]) / base

        def seconds(*values: float) -> str:
            return " / ".join(f"{value:.2f} s" for value in values)

        lines = [
            Line(
                "first run, against COPY of the three columns",
                seconds(first["seconds"], copied),
                ratio(first, copied),
                8,
            ),
            Line(
                "a run with nothing changed, against the first",
                seconds(unchanged["seconds"], first["seconds"]),
                ratio(unchanged, first),
                0.3,
            ),
            Line(
                "a run with 1 % changed, against the first",
                seconds(changed["seconds"], first["seconds"]),
                ratio(changed, first),
                0.35,
            ),
            Line(
                "peak memory, against a tenth of the profiles",
                f"{first['peak_mb']} MB / {small_run['peak_mb']} MB",
                first["peak_mb"] / small_run["peak_mb"],
                1.1,
            ),
            Line("peak memory", f"{first['peak_mb']} MB", first["peak_mb"], 160, " MB"),
            Line(
                "first run, against a tenth of the profiles",
                seconds(first["seconds"], small_run["seconds"]),
                ratio(first, small_run),
                11,
            ),
            Line(
                "import of a CSV, against COPY into a plain table",
                seconds(imported["seconds"], plain),
                ratio(imported, plain),
                5,
            ),
            Line(
                "refresh of 3 rules, against the bare count",
                seconds(refreshed["seconds"], refreshed["bare_seconds"]),
                refreshed["seconds"] / refreshed["bare_seconds"],
                6,
            ),
            Line(
                "imports of a first run, against the fewest possible",
                f"{first['imports']} of {first['requests']} requests",
                first["imports"] / fewest,
                1.0,
            ),
        ]
        if moved:
            what = "first run, against dlt moving the same rows"
            measured = seconds(first["seconds"], moved["seconds"])
            lines.insert(0, Line(what, measured, ratio(first, moved), 1.0))
        return lines


def show(lines: list[Line]) -> None:
    print(f"\n{PROFILES:,} profiles; {os.cpu_count()} cores")
    for line in lines:
        ratio = f"{line.ratio:.2f}{line.unit}"
        bound = f"≤ {line.bound:g}{line.unit}"
        mark = "ok" if line.holds else "MISSED"
        print(f"{line.what:50} {line.measured:28} {ratio:>10} {bound:>10}  {mark}")


def main() -> None:
    data = Path(tempfile.mkdtemp(prefix="segue-bench-"))
    try:
        with (
            EmbeddedServices(data).using(),
            SandboxProcess(
                rate_per_second=10_000, rate_per_day=1_000_000, token_rate=10_000
            ) as box,
        ):
            lines = Bench(data, box).measure()
    finally:
        shutil.rmtree(data, ignore_errors=True)
    show(lines)
    if not all(line.holds for line in lines):
        sys.exit(1)


if __name__ == "__main__":
    main()
