"""Pages travel compressed; files that are downloaded go as they are, at the database's pace."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PagesCompressedMiddleware(GZipMiddleware):
    """Each answer is padded at random, so that its length tells nothing of the secrets in it."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_page = response.get("Content-Type", "").startswith("text/html")
        return super().process_response(request, response) if is_page else response
