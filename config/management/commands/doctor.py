"""`manage.py doctor`: looks at everything Segue depends on."""

from dataclasses import asdict
from typing import Any

from config.commands import SegueCommand, fail
from config.diagnosis import findings


class Command(SegueCommand):
    help = "Check every part that Segue depends on, and say what to do about each fault."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        for finding in findings():
            found.append(finding)
            if options["json"]:
                continue
            mark = self.style.SUCCESS("ok   ") if finding.is_well else self.style.ERROR("fault")
            self.stdout.write(f"{mark} {finding.part:17} {finding.state}")
            if not finding.is_well:
                self.stdout.write(f"      {'':17} → {finding.advice}")
        faults = sum(not finding.is_well for finding in found)
        if options["json"]:
            parts = {finding.part: asdict(finding) | {"ok": finding.is_well} for finding in found}
            self.print_json({"ok": not faults, "parts": parts})
        if faults:
            fail(f"{faults} of {len(found)} parts have a fault.")
