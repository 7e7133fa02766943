"""`make audit` without the network: osv.dev's archive, asked as osv.dev is."""

import importlib.util
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import ROOT

ENTRIES = {
    "PYSEC-1": {
        "ranges": [
            {"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "1.4"}]},
            {"type": "GIT", "events": [{"introduced": "0"}]},
        ]
    },
    "PYSEC-2": {"versions": ["2.0rc1"], "ranges": []},
    "PYSEC-3": {
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"last_affected": "1.2"}]}]
    },
}


@pytest.fixture
def audit() -> Any:
    known = importlib.util.spec_from_file_location("audit", ROOT / "scripts/audit_dependencies.py")
    assert known
    assert known.loader
    module = importlib.util.module_from_spec(known)
    known.loader.exec_module(module)
    return module


def test_what_concerns_a_version_is_told_and_nothing_else(audit: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for number, affected in ENTRIES.items():
            package = {"name": "Some_Package", "ecosystem": "PyPI"}
            entry = {"id": number, "affected": [{"package": package, **affected}]}
            archive.writestr(f"{number}.json", json.dumps(entry))
        withdrawn = {**entry, "id": "PYSEC-4", "withdrawn": "2026-01-01T00:00:00Z"}
        archive.writestr("PYSEC-4.json", json.dumps(withdrawn))
    with audit.answering(audit.Database(tmp_path / "all.zip")) as url:

        def told(name: str, version: str) -> list[str]:
            asked = {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
            answer = requests.post(url, json=asked, timeout=5).json()
            return [one["id"] for one in answer.get("vulns", [])]

        assert told("some-package", "1.1") == ["PYSEC-1", "PYSEC-3"]
        assert told("some-package", "1.3") == ["PYSEC-1"]
        assert told("some-package", "1.4") == []
        assert told("some-package", "2.0rc1") == ["PYSEC-2"]
        assert told("another", "1.1") == []
