"""Files that a plain form sends: on disk while they arrive, no more of them than may be kept."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import (
    FileUploadHandler,
    StopUpload,
    TemporaryFileUploadHandler,
)


class FormFile(TemporaryUploadedFile):
    """A file beside the uploads: what lies in memory elsewhere (/tmp may) is no place for it."""

    def __init__(self, name: str | None, content_type: str | None, charset: str | None) -> None:
        directory = Path(settings.UPLOAD_DIR)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = tempfile.NamedTemporaryFile(prefix="form-", dir=directory)  # noqa: SIM115
        UploadedFile.__init__(self, file, name, content_type, 0, charset)


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Gives a file up that is too large or finds the disk full; the form misses it then.

    `request.upload_given_up` says "size" or "room".
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = FormFile(self.file_name, self.content_type, self.charset)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > settings.MAX_UPLOAD_BYTES:
            self._give_up("size")
        try:
            self.file.write(raw_data)
        except OSError:
            self._give_up("room")

    def _give_up(self, reason: str) -> None:
        self.request.upload_given_up = reason  # type: ignore[union-attr]
        raise StopUpload(connection_reset=False)
