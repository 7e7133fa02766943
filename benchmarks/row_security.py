"""What row-level security costs: `python -m benchmarks.row_security [PROFILES [TURNS]]`.

A first import, a refresh of three rules and a first run, with the policies and without them by
turns, each in a process of its own. Told are the medians by the clock, and those of PostgreSQL's
processor, which other work on the machine disturbs less.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psycopg2

from benchmarks.bench import ROOT, Bench
from benchmarks.whole import unlimited
from config.embedded import EmbeddedServices, database_url

# Until sessions whose process has ended have ended too.
PARTING_SECONDS = 1
DEFAULTS = ("200000", "5")
SECURED = "SELECT relname FROM pg_class WHERE relforcerowsecurity ORDER BY relname"
# What a step leaves behind goes, so that the next one meets what this one met.
FORGET = {
    "import_csv": (
        "DELETE FROM segments_profile p USING workspaces_workspace w"
        " WHERE w.id = p.workspace_id AND w.slug LIKE 'imported%'",
        "UPDATE workspaces_user SET email = id || '@example.com' WHERE email LIKE 'importer@%'",
        "VACUUM segments_profile",
    ),
    "refresh": (
        "DELETE FROM segments_segmentmember m USING segments_segment s"
        " WHERE s.id = m.segment_id AND s.name = 'Three rules'",
        "UPDATE segments_segment SET name = 'Kept ' || id WHERE name = 'Three rules'",
        "VACUUM segments_segmentmember",
    ),
    "drive": ("DELETE FROM exports_delivery", "VACUUM exports_delivery"),
}


# Seconds by the clock, and of PostgreSQL's processor.
Taken = tuple[float, float]


class Measured:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        owner = psycopg2.connect(database_url(bench.data))
        owner.autocommit = True
        self.owner = owner.cursor()
        self.owner.execute(SECURED)
        self.tables = [table for (table,) in self.owner.fetchall()]
        postmaster = (bench.data / "postgres" / "postmaster.pid").read_text().split()[0]
        self.statistics = Path(f"/proc/{postmaster}/stat")

    def step(self, name: str, *values: object) -> Taken:
        before = self._processor_seconds()
        seconds = self.bench.step(name, *values)["seconds"]
        used = self._processor_seconds() - before
        for statement in FORGET[name]:
            self.owner.execute(statement)
        self.owner.execute("CHECKPOINT")
        return seconds, used

    def police(self, how: str) -> None:
        for table in self.tables:
            self.owner.execute(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")

    def _processor_seconds(self) -> float:
        """Of those that have ended, which is all that the steps before this moment have used."""
        time.sleep(PARTING_SECONDS)
        fields = self.statistics.read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


Found = dict[str, dict[str, list[Taken]]]


def measure(bench: Bench, profiles: int, turns: int) -> Found:
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(migrate, cwd=ROOT, env=bench.environment, check=True)
    workspace = bench.step("prepare", profiles)["workspace"]
    file = bench.data / "profiles.csv"
    bench.step("write_csv", file, profiles)
    steps = {"import_csv": [file], "refresh": [workspace], "drive": [workspace]}
    measured = Measured(bench)
    found: Found = {name: defaultdict(list) for name in steps}
    for turn in range(turns + 1):
        # Whoever goes second each time would meet a warmer machine.
        for how in ("ENABLE", "DISABLE") if turn % 2 else ("DISABLE", "ENABLE"):
            measured.police(how)
            for name, values in steps.items():
                taken = measured.step(name, *values)
                # The first turn warms everything up.
                if turn:
                    found[name][how].append(taken)
    return found


def show(found: Found) -> None:
    for name, sides in found.items():
        for index, unit in enumerate(("by the clock", "PostgreSQL's processor")):
            on, off = (sorted(one[index] for one in sides[how]) for how in ("ENABLE", "DISABLE"))
            ratio = statistics.median(on) / statistics.median(off)
            told = " / ".join(
                f"{statistics.median(one):.2f} s ({one[0]:.2f} to {one[-1]:.2f})"
                for one in (on, off)
            )
            print(f"{name:12} {unit:24} {told:50} {ratio:6.3f} ×")


def main() -> None:
    profiles, turns = (int(value) for value in [*sys.argv[1:], *DEFAULTS[len(sys.argv) - 1 :]])
    data = Path(tempfile.mkdtemp(prefix="segue-walls-"))
    box = unlimited()
    try:
        with EmbeddedServices(data).using(), box:
            found = measure(Bench(data, box), profiles, turns)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    print(f"\n{profiles:,} profiles, {turns} turns, with the policies and without")
    show(found)


if __name__ == "__main__":
    main()
