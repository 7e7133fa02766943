"""The running server against its own document, by Schemathesis: one object at a time, and in turns.

Whether data that the document allows is taken depends on what there is: rules name attributes, an
export a list of an account. So `positive_data_acceptance` is left out, and nothing else.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django_scopes import scope

from tests.api.client import service_token
from tests.api.world import make_world
from tests.workspaces.factories import WorkspaceFactory

# Each of the two runs takes so long, and finds more the longer it is let.
SECONDS = 8
PATIENCE_SECONDS = 120


def schemathesis(url: str, token: str, config: Path, *options: str) -> str:
    """What is told of a run; its exit status is 0 when nothing was found."""
    found = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}"),
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            *(
                "--seed",
                "1",
                "--no-shrink",
                "--max-time",
                str(SECONDS),
                "--suppress-health-check",
                "all",
            ),
            *("--max-examples", "1", "--workers", "2"),
            *("--generation-database", "none", "--warnings", "off", "--no-color", *options),
        ],
        capture_output=True,
        text=True,
        # It keeps what it found where it runs.
        cwd=config.parent,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-15_000:] + found.stderr[-2_000:]
    return found.stdout


@pytest.mark.django_db(transaction=True)
def test_the_server_does_what_its_document_says(
    live_server: Any, settings: Any, tmp_path: Path
) -> None:
    settings.API_RATE_PER_MINUTE = 1_000_000
    workspace = WorkspaceFactory()
    with scope(workspace=workspace):
        world = make_world(workspace)
        token = service_token(workspace).text
    plain, named = tmp_path / "plain.toml", tmp_path / "named.toml"
    plain.write_text("")
    ids = [f'"path.{name}" = {thing.pk}\n' for name, thing in world.items() if name[-3:] == "_id"]
    named.write_text("[parameters]\n" + "".join(ids) + f'"path.slug" = "{workspace.slug}"\n')
    schemathesis(
        live_server.url, token, named, "--phases", "examples,fuzzing", "--exclude-method", "DELETE"
    )
    told = schemathesis(live_server.url, token, plain, "--phases", "stateful")
    assert "Stateful" in told
