"""The OpenAPI document, for programs."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from api.document import document


@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    response = JsonResponse(document())
    response["Access-Control-Allow-Origin"] = "*"
    return response
