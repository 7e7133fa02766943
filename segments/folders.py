"""Files on the server, imported without a person: one, or what is new in a folder."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from segments import drafts, imports, kept_files, sources
from segments.encodings import UnreadableFile
from segments.imports import SourceBusy
from segments.models import Import, Source
from segments.sources import LONGEST_NAME, Refused
from segments.upload_files import KNOWN, PACKED, clean_name, source_name_of
from workspaces.models import Workspace

BLOCK = 1024 * 1024
COUNTS = ("read", "added", "changed", "unchanged", "superseded", "refused", "removed")


@dataclass(frozen=True)
class Outcome:
    """What became of a file: imported, unchanged, waiting or failed; `reason` is for people."""

    file: str
    source: str
    outcome: str
    reason: str = ""
    counts: dict[str, int] | None = None

    def as_json(self) -> dict[str, Any]:
        values = asdict(self)
        counts = values.pop("counts") or {}
        return {**values, **counts}


class Unsettled(Exception):
    """The file was written to while it was read."""


def counts_of(load: Import) -> dict[str, int]:
    return {name: getattr(load, name) for name in COUNTS}


def import_file(
    workspace: Workspace, file: Path, *, name: str, key: str, skip_refused: bool
) -> Import:
    """Imports a file, now, into the source of that name, made if there is none.

    The import may end as failed. Raises `UnreadableFile`, `Refused`, `SourceBusy` or `Unsettled`;
    nothing is kept then.
    """
    source = Source.objects.filter(name=name).first()
    is_new = source is None
    load = None
    try:
        source = source or sources.create_source(workspace, name)
        before = _stamp(file)
        load = drafts.take_file(source, clean_name(file.name), _blocks(file))
        if _stamp(file) != before:
            raise Unsettled
        columns = drafts.chosen_columns(load)
        drafts.prepare(load, key=key, columns=columns, skip_refused=skip_refused, by=None)
        imports.run_import(load)
    except (UnreadableFile, Refused, Unsettled, SourceBusy):
        if is_new and source is not None:
            sources.remove_source(source, by=None)
        elif load is not None:
            drafts.discard(load)
        raise
    return load


def import_folder(
    workspace: Workspace,
    directory: Path,
    *,
    key: str,
    pattern: str = "",
    settled_seconds: float = 10,
    skip_refused: bool = False,
) -> Iterator[Outcome]:
    """Imports each file of the folder that its source has not imported last, in order of names.

    Without a pattern every file counts whose name ends like that of a table. Hidden files, links
    and folders don't. What was written to in the last seconds waits for the next time.
    """
    taken: dict[str, str] = {}
    for file in sorted(directory.iterdir()):
        if not _is_meant(file, pattern):
            continue
        name = source_name_of(clean_name(file.name))[:LONGEST_NAME]
        earlier = taken.setdefault(name.lower(), file.name)
        if earlier != file.name:
            yield Outcome(
                file.name,
                name,
                "failed",
                _("“%(file)s” goes into the same source. Name one of them differently.")
                % {"file": earlier},
            )
            continue
        yield _import_if_new(workspace, file, name, key, settled_seconds, skip_refused)


def _is_meant(file: Path, pattern: str) -> bool:
    if file.name.startswith(".") or file.is_symlink() or not file.is_file():
        return False
    if pattern:
        return fnmatch(file.name, pattern)
    return bool(KNOWN.search(PACKED.sub("", file.name)))


def _import_if_new(
    workspace: Workspace,
    file: Path,
    name: str,
    key: str,
    settled_seconds: float,
    skip_refused: bool,
) -> Outcome:
    still_written = Outcome(file.name, name, "waiting", _("It is still being written."))
    try:
        if time.time() - file.stat().st_mtime < settled_seconds:
            return still_written
        if _is_known(name, _checksum(file)):
            return Outcome(file.name, name, "unchanged")
        load = import_file(workspace, file, name=name, key=key, skip_refused=skip_refused)
    except Unsettled:
        return still_written
    except FileNotFoundError:
        return Outcome(file.name, name, "waiting", _("It was taken away."))
    except OSError as problem:
        return Outcome(file.name, name, "failed", problem.strerror or str(problem))
    except SourceBusy:
        reason = _("Another import of this source is going on.")
        return Outcome(file.name, name, "waiting", reason)
    except (UnreadableFile, Refused) as problem:
        return Outcome(file.name, name, "failed", str(problem))
    if load.state != Import.State.SUCCEEDED:
        _remove_copies(load)
        return Outcome(file.name, name, "failed", str(load.reason), counts_of(load))
    return Outcome(file.name, name, "imported", "", counts_of(load))


def _is_known(name: str, checksum: str) -> bool:
    """Whether the source's last import that changed anything was of this very content."""
    ended = Q(state=Import.State.SUCCEEDED)
    last = Import.objects.filter(ended, source__name=name).order_by("-finished_at").first()
    return last is not None and last.checksum == checksum


def _remove_copies(load: Import) -> None:
    """Of a file that fails every time one copy is enough, however often the folder is looked at."""
    earlier = Import.objects.filter(
        source=load.source, checksum=load.checksum, state=Import.State.FAILED
    ).exclude(pk=load.pk)
    kept_files.remove(earlier.values_list("file_path", flat=True))


def _stamp(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block
