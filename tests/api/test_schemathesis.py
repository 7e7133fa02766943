"""The running server against its own document, by Schemathesis: one object at a time, and in turns.

All its checks, of all operations. Only whether what the document allows is taken can't be said of
those in UNFORESEEABLE, and each says why.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django_scopes import scope

from tests.api.client import service_token
from tests.api.world import make_world
from tests.conftest import ROOT
from tests.workspaces.factories import WorkspaceFactory

# Each of the two runs takes so long, and finds more the longer it is let.
SECONDS = 5
PATIENCE_SECONDS = 120
# No document can say which texts are names of things that are there, or taken, or in a file.
UNFORESEEABLE = {
    "Attributes, segments and an account's lists have to be there.": (
        "create_destination",
        "change_destination",
        "duplicate_destination",
        "preview_new_destination",
        "preview_destination",
        "create_static_segment",
    ),
    "Rules name attributes, and what fits their types.": (
        "create_segment",
        "change_segment",
        "preview_rules",
    ),
    "Another may have the name.": ("create_connection", "change_connection"),
    "It has to be the workspace's own name.": ("ask_for_deletion",),
    "It has to be an address in the network that may be written to.": (
        "create_endpoint",
        "change_endpoint",
    ),
    "A database has to answer there.": (
        "create_database_source",
        "change_database",
        "change_query",
        "preview_query",
    ),
    "The bytes have to be a file, of such columns.": (
        "create_source",
        "load_file",
        "start_load",
        "change_reading",
        "add_suppression_file",
        "change_entries_by_file",
    ),
}


def schemathesis(url: str, token: str, config: Path, *options: str) -> str:
    """What is told of a run; its exit status is 0 when nothing was found."""
    found = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}"),
            *("--seed", "1", "--no-shrink", "--max-time", str(SECONDS)),
            *("--suppress-health-check", "all", "--max-examples", "1", "--workers", "2"),
            *("--generation-database", "none", "--warnings", "off", "--no-color", *options),
        ],
        capture_output=True,
        text=True,
        # It keeps what it found where it runs.
        cwd=config.parent,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks"},
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-15_000:] + found.stderr[-2_000:]
    return found.stdout


def configuration(path: Path, parameters: dict[str, Any]) -> Path:
    known = "".join(f'"{name}" = "{value}"\n' for name, value in parameters.items())
    unforeseeable = [name for names in UNFORESEEABLE.values() for name in names]
    # A cursor is what a page before has told. Constant Contact is not there: 502 says so.
    path.write_text(
        "[checks.not_a_server_error]\n"
        'expected-statuses = ["2xx", "3xx", "4xx", "502"]\n'
        f'[parameters]\n"query.after" = ""\n{known}'
        f"[[operations]]\ninclude-operation-id = {unforeseeable}\n"
        "checks.positive_data_acceptance.enabled = false\n"
    )
    return path


@pytest.mark.django_db(transaction=True)
def test_the_server_does_what_its_document_says(
    live_server: Any, settings: Any, tmp_path: Path
) -> None:
    settings.API_RATE_PER_MINUTE = 1_000_000
    workspace = WorkspaceFactory()
    with scope(workspace=workspace):
        world = make_world(workspace)
        token = service_token(workspace).text
    ids = {f"path.{name}": thing.pk for name, thing in world.items() if name[-3:] == "_id"}
    plain = configuration(tmp_path / "plain.toml", {})
    named = configuration(tmp_path / "named.toml", {**ids, "path.slug": workspace.slug})
    schemathesis(
        live_server.url, token, named, "--phases", "examples,fuzzing", "--exclude-method", "DELETE"
    )
    told = schemathesis(live_server.url, token, plain, "--phases", "stateful")
    assert "Stateful" in told
