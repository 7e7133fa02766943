"""An import that wants more memory than there is: said, never tried for ever, and over with it."""

from datetime import timedelta
from typing import Any

import psutil
import pytest

from segments import drafts, imports, reading, tasks
from segments.models import Import, Profile
from tests.conftest import celery_worker, wait_until
from tests.segments.factories import SourceFactory
from tests.segments.files import import_bytes

WIDE = b"id,note\n" + b"".join(b"%d,%s\n" % (n, b"x" * 4_000) for n in range(1_500))


def test_a_file_that_wants_more_than_an_import_may_have_is_said(
    workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MEMORY_LIMIT", "8MB")
    load = import_bytes(workspace, WIDE)
    assert load.state == Import.State.FAILED
    assert "wants more memory" in str(load.reason)
    assert not Profile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_out_of_memory_costs_the_import_and_nothing_else(
    transactional_db: None, workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SILENCE", timedelta(seconds=1))
    source = SourceFactory(workspace=workspace)

    def queue(content: bytes) -> Import:
        load = drafts.take_file(source, "c.csv", [content])
        columns = drafts.chosen_columns(load)
        drafts.queue(load, by=None, key="id", columns=columns, skip_refused=False, mode=None)
        return load

    def ended(load: Import) -> bool:
        tasks.sweep()
        load.refresh_from_db()
        return load.finished_at is not None

    with celery_worker("--include", "tests.segments.short_of_memory") as process:
        hostile = queue(WIDE)
        wait_until(lambda: ended(hostile), 60, "the end of the import")
        assert hostile.state == Import.State.FAILED
        assert hostile.attempts <= imports.MAX_ATTEMPTS
        assert "memory" in str(hostile.reason)
        assert not Profile.objects.exists()

        for one in psutil.Process(process.pid).children():
            one.rlimit(psutil.RLIMIT_AS, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        usual = queue(b"id,note\n1,here\n")
        wait_until(lambda: ended(usual), 60, "the import after it")
        assert (usual.state, Profile.objects.count()) == (Import.State.SUCCEEDED, 1)
