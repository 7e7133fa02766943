"""The way from a form of ours to another site."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render


def leave(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The same way in two steps, where a redirect would leave the site.

    Our pages' policy lets no form be answered by another site, however many redirects later; a page
    of ours in between, which goes on by itself, answers the form.
    """
    url = response.headers.get("Location", "")
    there = urlsplit(url)
    if there.netloc in ("", request.get_host()):
        return response
    context = {"url": url, "host": there.hostname}
    page = render(request, "leaving.html", context)
    page.headers["Cache-Control"] = "no-store"
    return page
