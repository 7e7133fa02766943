"""Uploads: a file declared or sent by a form, its chunks taken, its examination watched.

Chunks come by the core of the tus protocol 1.0 (https://tus.io/protocols/resumable-upload): HEAD
tells how far the file is there, PATCH goes on from there, each with its checksum.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.request import UnreadablePostError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from config.kept_queries import one_or_404
from segments import sources, sql_loads, uploads
from segments.encodings import UnreadableFile
from segments.forms import DeclaredFile, UploadForm
from segments.models import Source, Upload
from segments.upload_files import NoRoom
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires

BLOCK = 256 * 1024
# Longer than that, and whoever sends is out of reach.
SILENT_SECONDS = 60
CHECKSUM_MISMATCH = 460


@requires("source.change")
def add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return _take(request, None)


@requires("source.change")
def add_file(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    source = one_or_404(Source, "workspace", pk=pk)
    if sql_loads.query_of(source) is not None:
        return redirect("segments:source_detail", slug, pk)
    return _take(request, source)


def _take(request: WorkspaceRequest, source: Source | None) -> HttpResponse:
    """A form with a file, or with what is to come in chunks: then 201 with the upload's page."""
    declared = DeclaredFile(request.POST) if "file_bytes" in request.POST else None
    files: Any = {"file": declared} if declared else request.FILES
    form = UploadForm(request.POST or None, files or None, source=source)
    if form.is_valid():
        try:
            upload = uploads.begin(
                request.workspace,
                file_name=form.cleaned_data["file"].name,
                file_bytes=form.cleaned_data["file"].size,
                by=request.user,
                source=source,
                source_name=form.cleaned_data.get("name", ""),
                fingerprint=declared.fingerprint if declared else "",
            )
        except sources.Refused as refusal:
            form.add_error("file", str(refusal))
        else:
            if declared:
                return HttpResponse(status=201, headers={"Location": _page_of(upload)})
            problem = _take_whole(upload, form.cleaned_data["file"])
            if not problem:
                return redirect(_page_of(upload))
            uploads.forget(upload)
            form.add_error("file", problem)
    elif hasattr(request, "upload_given_up"):
        too_large = request.upload_given_up == "size"
        form.errors.pop("file", None)
        form.add_error("file", str(uploads.too_large() if too_large else uploads.no_room()))
    context = {"form": form, "source": source, "uploads": uploads.open_uploads()}
    status = 422 if declared else 200
    return render(request, "segments/sources/upload.html", context, status=status)


def _page_of(upload: Upload) -> str:
    """Where the way goes on: the upload's page, or the columns of what it became."""
    slug = upload.workspace.slug
    if upload.state == Upload.State.READY:
        return reverse("segments:import_columns", args=[slug, upload.load_id])
    return reverse("segments:upload", args=[slug, upload.pk])


def _take_whole(upload: Upload, file: Any) -> str:
    """Takes a file that came by a form; returns why it can't be read, if that is known at once."""
    try:
        uploads.append(upload, 0, file.chunks(), file.size)
    except NoRoom:
        return str(uploads.no_room())
    except UnreadableFile as problem:
        return str(problem)
    return str(upload.reason)


@require_http_methods(["HEAD", "PATCH"])
@requires("source.change")
def content(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    upload = one_or_404(Upload, "workspace", "started_by", pk=pk)
    if upload.state == Upload.State.REFUSED:
        return _answer(410, upload.received, str(upload.reason))
    if request.method == "HEAD":
        response = _answer(200, upload.received)
        response["Upload-Length"] = str(upload.file_bytes)
        return response
    try:
        offset, length, checksum = _said_of_chunk(request)
    except ValueError as problem:
        return _answer(400, upload.received, str(problem))
    if length > uploads.MOST_CHUNK_BYTES or offset + length > upload.file_bytes:
        return _answer(413, upload.received)
    try:
        uploads.append(upload, offset, _blocks(request), length, checksum)
    except uploads.Elsewhere as elsewhere:
        return _answer(409, elsewhere.offset)
    except uploads.Damaged:
        return _answer(CHECKSUM_MISMATCH, upload.received)
    except NoRoom:
        return _answer(507, upload.received, str(uploads.no_room()))
    except UnreadableFile as problem:
        return _answer(415, upload.received, str(problem))
    return _answer(204, upload.received)


def _answer(status: int, offset: int, said: str = "") -> HttpResponse:
    return HttpResponse(
        said,
        status=status,
        content_type="text/plain; charset=utf-8",
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(offset),
            "Cache-Control": "no-store",
        },
    )


def _said_of_chunk(request: WorkspaceRequest) -> tuple[int, int, int]:
    """Offset, length and CRC-32 of a chunk. Raises `ValueError`."""
    numbers = [request.headers.get(name, "") for name in ("Upload-Offset", "Content-Length")]
    if not all(re.fullmatch(r"[0-9]{1,15}", number) for number in numbers) or numbers[1] == "0":
        raise ValueError("Upload-Offset and Content-Length must be numbers of bytes.")
    kind, _space, encoded = request.headers.get("Upload-Checksum", "").partition(" ")
    try:
        checksum = base64.b64decode(encoded, validate=True)
    except binascii.Error as problem:
        raise ValueError("Upload-Checksum must be in Base64.") from problem
    if kind != "crc32" or len(checksum) != 4:
        raise ValueError("Upload-Checksum must be a crc32.")
    return int(numbers[0]), int(numbers[1]), int.from_bytes(checksum)


def _blocks(request: WorkspaceRequest) -> Iterator[bytes]:
    """What arrives, up to where it breaks off."""
    socket = request.META.get("gunicorn.socket")
    if socket is not None:
        socket.settimeout(SILENT_SECONDS)
    try:
        while block := request.read(BLOCK):
            yield block
    except UnreadablePostError:
        return


def _found(pk: int) -> Upload:
    return one_or_404(Upload, "source", "workspace", pk=pk)


@requires("source.change")
def page(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    upload = _found(pk)
    if upload.state == Upload.State.READY:
        return redirect(_page_of(upload))
    return render(request, "segments/uploads/page.html", _about(upload))


@requires("source.change")
def progress(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    upload = _found(pk)
    if upload.state == Upload.State.READY:
        return HttpResponseClientRedirect(_page_of(upload))
    return render(request, "segments/uploads/_progress.html", _about(upload))


def _about(upload: Upload) -> dict[str, Any]:
    return {
        "upload": upload,
        "most_chunk": uploads.MOST_CHUNK_BYTES,
        "is_examined": upload.state in (Upload.State.WAITING, Upload.State.EXAMINING),
    }


@require_POST
@requires("source.change")
def cancel(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    upload = _found(pk)
    source = upload.source_id
    if upload.state == Upload.State.READY:
        return redirect(_page_of(upload))
    uploads.cancel(upload, by=request.user)
    messages.success(request, _("The upload of “%(name)s” is discarded.") % {"name": upload})
    if source:
        return redirect("segments:source_detail", slug, source)
    return redirect("segments:source_list", slug)
