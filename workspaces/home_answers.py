"""A card of the home page on its own, for a page that follows it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from workspaces.home import Card
from workspaces.live import streams


def of_card(request: HttpRequest, card: Card, moves: str = "") -> HttpResponse:
    """`moves` names its figures, if it has some."""
    response = render(request, card.template, {"part": card.context})
    response[streams.FOR_EVERY_ROLE] = "yes"
    if moves:
        response[streams.FIGURES] = moves
    return response
