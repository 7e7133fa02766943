"""What all commands have in common: exit statuses, JSON, progress on a terminal, completion."""

import io
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django_scopes import scope

from config import completion
from config.commands import AWAITS_APPROVAL, BUSY, NOT_THERE, USAGE
from config.terminal_progress import Look, shown
from exports.models import Run
from sandbox.__main__ import parser as sandbox_parser
from tests.exports.factories import DestinationFactory, RunFactory
from workspaces.models import Refresh

# The design's table, and what came to it.
REPORTING = [
    "create_workspace", "import_profiles", "import_folder", "refresh", "run_export",
    "erase_profile", "verify_audit", "rotate_keys", "doctor",
]  # fmt: skip
OTHERS = ["up", "sandbox", "config", "completion"]


def command(name: str) -> Any:
    return load_command_class(str(get_commands()[name]), name)


def test_every_command_explains_itself_and_reports_as_json() -> None:
    for name in [*REPORTING, *OTHERS]:
        explained = command(name).create_parser("manage.py", name).format_help()
        assert ("--json" in explained) == (name in REPORTING), name
        assert command(name).help


def test_wrong_arguments_end_with_a_status_of_their_own(capsys: Any) -> None:
    for argv in (
        ["run_export"], ["config", "plan"], ["import_profiles", "w", "f", "--kee", "k"],
        ["up", "--prot", "8001"],
    ):  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            command(argv[0]).run_from_argv(["manage.py", *argv])
        assert ended.value.code == USAGE
    assert "usage: manage.py run_export" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        sandbox_parser().parse_args(["--port", "many"])
    assert ended.value.code == USAGE


def test_statuses_tell_what_is_not_there_what_is_busy_and_what_waits_for_a_person(
    workspace: Any, tmp_path: Path
) -> None:
    def status(*arguments: str) -> int:
        with pytest.raises(CommandError) as refused:
            call_command(*arguments, stdout=io.StringIO())
        return refused.value.returncode

    assert status("refresh", "nowhere") == NOT_THERE
    assert status("run_export", workspace.slug, "Nothing") == NOT_THERE
    assert status("import_profiles", workspace.slug, "nothing.csv", "--key=id") == NOT_THERE
    Refresh.objects.create(workspace=workspace, trigger="member", state="running")
    assert status("refresh", workspace.slug) == BUSY
    export = DestinationFactory(workspace=workspace)
    RunFactory(destination=export, state=Run.State.SENDING)
    assert status("run_export", workspace.slug, export.name) == BUSY

    file = tmp_path / "shop.csv"
    file.write_text("id,a\n" + "".join(f"{n},x\n" for n in range(300)))
    call_command("import_profiles", workspace.slug, str(file), "--key=id", stdout=io.StringIO())
    file.write_text("id,a\n1,x\n")
    replace = ["import_profiles", workspace.slug, str(file), "--key=id", "--mode=replace"]
    assert status(*replace) == AWAITS_APPROVAL
    out = io.StringIO()
    with scope(workspace=workspace):
        call_command(*replace, "--approve-removals=299", "--json", stdout=out)
    assert json.loads(out.getvalue())["removed"] == 299


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only(monkeypatch: Any) -> None:
    monkeypatch.setattr("config.terminal_progress.LOOK_AGAIN_SECONDS", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    looked: list[None] = []

    def look() -> Look:
        looked.append(None)
        return Look("reading", 1_200, 5_000)

    terminal, pipe = Terminal(), io.StringIO()
    with shown(look, stream=pipe), shown(look, unless=True, stream=terminal):
        pass
    assert (looked, pipe.getvalue(), terminal.getvalue()) == ([], "", "")
    with shown(look, stream=terminal):
        while "1,200 / 5,000" not in terminal.getvalue():
            time.sleep(0.01)
    assert "reading" in terminal.getvalue()


def test_a_progress_that_can_not_be_told_breaks_nothing() -> None:
    with shown(lambda: 1 / 0, stream=Terminal()):  # type: ignore[arg-type, return-value]
        pass


def test_shells_complete_commands_steps_options_and_their_values() -> None:
    words = completion.all_words()

    def completed(*line: str) -> list[str]:
        script = completion.bash(words) + (
            f"COMP_WORDS=(manage.py {' '.join(line)} ''); COMP_CWORD={len(line) + 1};"
            " _segue_manage; printf '%s\\n' \"${COMPREPLY[@]}\""
        )
        return subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, check=True
        ).stdout.split()

    assert {"config", "doctor", "run_export", "migrate"} <= set(completed())
    assert completed("config")[:3] == ["export", "plan", "apply"]
    assert "--remove" in completed("config", "apply")
    assert {"--dry-run", "--json", "--wait"} <= set(completed("run_export"))
    assert "--verbosity" not in completed("run_export")
    assert completed("import_profiles", "--mode") == ["update", "replace"]
    assert completed("completion")[:3] == ["bash", "zsh", "fish"]
    fish = completion.fish(words)
    assert "-n __fish_use_subcommand -f -a config -d 'Write a workspace\\'s sources" in fish
    assert "-l mode" in fish
    for shell, write in completion.SHELLS.items():
        if shutil.which(shell):
            subprocess.run([shell, "-n"], input=write(words), text=True, check=True)
