"""Under /api/v1/: the document, and what it speaks of."""

from django.urls import path

from api.service import api
from api.views.document import openapi

urlpatterns = [path("openapi.json", openapi, name="openapi"), *api.urls[0]]
