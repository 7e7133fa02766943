"""The production shape as its files say it: what can be told of them without an engine."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from config.diagnosis import QUEUES
from sandbox.__main__ import parser as sandbox_parser

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = {"migrate", "web", "worker", "runs", "beat", "sandbox"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def test_every_part_is_there_and_locked_down(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services.keys() == {*OURS, "postgres", "redis"}
    assert services["postgres"]["image"] == "postgres:18"
    for name in OURS:
        one = services[name]
        assert one["read_only"], name
        assert one["tmpfs"] == ["/tmp"]  # noqa: S108
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in one
        assert name == "sandbox" or one["env_file"] == ".env"
    for name, one in services.items():
        assert {"cpus", "memory"} <= one["deploy"]["resources"]["limits"].keys(), name
        for volume in one.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"]
    assert services["sandbox"]["profiles"] == ["sandbox"]


def test_nothing_starts_before_what_it_needs_is_well(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, one in services.items():
        for needed, how in one.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "test" in services[needed]["healthcheck"], (name, needed)
            else:
                assert how["condition"] == "service_completed_successfully"
                assert services[needed]["restart"] == "no"
    for name in ("web", "worker", "runs", "beat"):
        assert set(services[name]["depends_on"]) == {"migrate", "redis"}


def test_commands_are_ones_that_there_are_and_every_queue_has_a_worker(
    compose: dict[str, Any],
) -> None:
    queues: set[str] = set()
    for name in OURS - {"web"}:
        command = [str(part) for part in compose["services"][name]["command"]]
        if command[1] == "manage.py":
            assert command[2] in get_commands()
        elif command[1:3] == ["-m", "sandbox"]:
            sandbox_parser().parse_args(command[3:])
        elif "worker" in command:
            assert command[:4] == ["celery", "-A", "config.celery", "worker"]
            queues |= set(command[command.index("-Q") + 1].split(","))
            # As long as a worker takes to end the batch in its hands.
            assert compose["services"][name]["stop_grace_period"] == "90s"
        else:
            assert "beat" in command
    assert queues == QUEUES


def test_the_environments_names_are_those_that_settings_read(compose: dict[str, Any]) -> None:
    settings = (ROOT / "config/settings.py").read_text()
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    for name in named - {"POSTGRES_PASSWORD", "WEB_PORT"}:
        short = name.removeprefix("CONSTANT_CONTACT_")
        assert f'"{name}"' in settings or f'"{short}"' in settings, name
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert used <= named


def test_the_image_is_built_apart_and_runs_as_nobody_special() -> None:
    steps = instructions()
    stages = [place for place, (word, _rest) in enumerate(steps) if word == "FROM"]
    assert len(stages) == 2
    last = dict(steps[stages[1] :])
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", last["USER"])
    assert "/healthz" in last["HEALTHCHECK"]
    assert shlex.split(last["CMD"].strip("[]").replace(",", " "))[:2] == ["gunicorn", "config.wsgi"]
    kept = " ".join(rest for word, rest in steps[stages[1] :] if word in ("ENV", "ARG"))
    assert "SECRET" not in kept
    assert "KEY" not in kept
    for word, rest in steps[: stages[1]]:
        if word == "COPY":
            assert (ROOT / rest.split()[0]).exists()
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", ".data", ".venv*"} <= set(ignored)
    assert "--require-hashes" in " ".join(rest for _word, rest in steps)
