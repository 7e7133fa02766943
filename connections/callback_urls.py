from django.urls import path

from connections.views import setup

app_name = "connections_callback"
urlpatterns = [path("callback", setup.callback, name="callback")]
