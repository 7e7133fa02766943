from django.urls import path

from connections.views import manage, setup

app_name = "connections"
urlpatterns = [
    path("", manage.connection_list, name="list"),
    path("add/", setup.add, name="add"),
    path("<int:pk>/", manage.detail, name="detail"),
    path("<int:pk>/check/", manage.check, name="check"),
    path("<int:pk>/edit/", manage.edit, name="edit"),
    path("<int:pk>/authorise/", setup.authorise, name="authorise"),
    path("<int:pk>/other-account/", setup.use_other_account, name="other_account"),
    path("<int:pk>/export-user/", setup.export_user, name="export_user"),
    path("<int:pk>/consent/", manage.consent, name="consent"),
    path("<int:pk>/remove/", manage.remove, name="remove"),
]
