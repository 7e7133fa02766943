"""What every operation says of itself: which scope and role it needs, whether it is idempotent."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, get_args

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.http.request import UnreadablePostError
from ninja.decorators import decorate_view
from ninja.params.models import Query as QueryMark

from api import etags
from api.idempotency import idempotent
from api.middleware import ApiRequest
from api.models import Scope
from api.problems import Problem
from segments.upload_files import free_bytes
from workspaces import permissions

BLOCK = 256 * 1024
JSON = "application/json"
# Of every list, though the short ones come whole.
PAGING = {"limit", "after"}
View = TypeVar("View", bound=Callable[..., Any])
Run = Callable[..., HttpResponse]


def needs(*scopes: Scope, rule: str = "", while_closing: bool = False) -> Callable[[View], View]:
    """Lets in tokens with one of the scopes, whose role may do what the rule says.

    Before anything of the request is read. Where the rule speaks of an object, the view asks it.
    A workspace that is to be deleted is shut but for what stays open `while_closing`.
    """

    def decorate(view: View) -> View:
        known = _query_names(view)

        def guard(run: Run) -> Run:
            @wraps(run)
            def guarded(request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponse:
                try:
                    if request.workspace.is_closing and not while_closing:
                        raise Problem("workspace_closing")
                    require_scope(request, *scopes)
                    if rule:
                        permissions.require(request.membership, rule)
                    if not getattr(view, "takes_file", False):
                        _require_json(request)
                    _require_known(request, known)
                except PermissionDenied:
                    return Problem("forbidden").response()
                except Problem as problem:
                    return problem.response()
                return run(request, *args, **kwargs)

            return guarded

        decorated: View = decorate_view(guard)(view)
        decorated.scopes = [str(scope) for scope in scopes]  # type: ignore[attr-defined]
        return decorated

    return decorate


def _query_names(view: Callable[..., Any]) -> set[str]:
    """Of the parameters that an operation takes in its address after the `?`."""
    found: set[str] = set()
    for parameter in signature(view).parameters.values():
        schema, *marks = get_args(parameter.annotation) or (None,)
        if any(isinstance(mark, QueryMark) for mark in marks):
            found |= schema.model_fields.keys()
    return found


def _require_known(request: ApiRequest, known: set[str]) -> None:
    """A filter whose name is misspelt would let everything through. Raises `Problem`."""
    if unknown := sorted(request.GET.keys() - known - PAGING):
        detail = f"There is no parameter “{unknown[0][:60]}” here."
        errors = [{"pointer": f"/{name[:60]}", "detail": "Unknown."} for name in unknown[:10]]
        raise Problem("invalid_request", detail, errors=errors)


def _require_json(request: ApiRequest) -> None:
    """Of a body, if there is one, and as it is. Raises `Problem`."""
    if request.META.get("CONTENT_LENGTH") in (None, "", "0"):
        return
    if request.content_type not in (JSON, ""):
        raise Problem("unsupported_media_type")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("unsupported_media_type", "Send the body as it is, not packed.")


def require_scope(request: ApiRequest, *scopes: Scope) -> None:
    """Raises `Problem` for a token with none of the scopes."""
    if not set(scopes) & set(request.token.scopes):
        raise Problem("missing_scope", needs=[str(scope) for scope in scopes])


def once(view: View) -> View:
    """Takes an `Idempotency-Key`."""
    decorated: View = decorate_view(idempotent)(view)
    decorated.takes_key = True  # type: ignore[attr-defined]
    return decorated


def checks_version(view: View) -> View:
    """Heeds `If-Match`, by `etags.require_version`."""
    view.checks_version = True  # type: ignore[attr-defined]
    return view


def versioned(view: View) -> View:
    """Its answer's ETag holds the object's version, which the view puts in `request.version`."""

    def tagged(run: Run) -> Run:
        @wraps(run)
        def tag(request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = run(request, *args, **kwargs)
            version = getattr(request, "version", "")
            if version and response.status_code < 300:
                response["ETag"] = etags.of_body(response.content, version)
            return response

        return tag

    return decorate_view(tagged)(view)


def takes_file(view: View) -> View:
    """The request's body is a file, of any size: put on disk as it comes, as `request.file`."""

    def spooled(run: Run) -> Run:
        @wraps(run)
        def take(request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            directory = Path(settings.UPLOAD_DIR) / str(request.workspace.pk)
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                length = _length(request)
                with tempfile.TemporaryFile(dir=directory) as file:
                    request.content_digest = _spool(request, file, length)  # type: ignore[attr-defined]
                    request.file = file  # type: ignore[attr-defined]
                    return run(request, *args, **kwargs)
            except Problem as problem:
                return problem.response()

        return take

    decorated: View = decorate_view(spooled)(view)
    decorated.takes_file = True  # type: ignore[attr-defined]
    return decorated


def blocks(request: ApiRequest) -> Iterator[bytes]:
    """The file of a request, from its beginning."""
    file: BinaryIO = request.file  # type: ignore[attr-defined]
    file.seek(0)
    while block := file.read(BLOCK):
        yield block


def _length(request: ApiRequest) -> int:
    if (request.content_type or "").startswith("multipart/"):
        raise Problem(
            "unsupported_media_type",
            "Send the file itself as the body, not a form: curl --data-binary @FILE.",
        )
    text = request.META.get("CONTENT_LENGTH") or ""
    if not text.isdecimal():
        raise Problem("length_required")
    length = int(text)
    if not length:
        raise Problem("unreadable_file", "The body is empty: send the file as the body.")
    if length > settings.MAX_UPLOAD_BYTES:
        raise Problem("too_large", f"A file has at most {settings.MAX_UPLOAD_BYTES:,} bytes.")
    # It is written twice: as it comes, and where the import keeps it.
    if 2 * length > free_bytes():
        raise Problem("no_room")
    return length


def _spool(request: ApiRequest, file: BinaryIO, length: int) -> bytes:
    digest, size = hashlib.sha256(), 0
    try:
        while block := request.read(BLOCK):
            size += len(block)
            digest.update(block)
            file.write(block)
    except UnreadablePostError:
        size = -1
    except OSError as full:
        raise Problem("no_room") from full
    if size != length:
        raise Problem("bad_request", "The file did not come whole. Send it again.")
    return digest.digest()
