"""What a process that answers pages needs, loaded before anybody asks it."""

from pathlib import Path

from django.conf import settings
from django.template.engine import Engine
from django.urls import reverse
from django.utils import translation

from api.views import reference
from workspaces import navigation


def warm() -> None:
    """Views, addresses and words in every language, our templates, and the API's reference, which
    takes a second and more to make. Asks no service.
    """
    pages = [page for _label, pages in navigation.SECTIONS for page in pages]
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for page in pages:
                reverse(page.url_name, args=["any"])
                str(page.label)
    engine = Engine.get_default()
    for folder in map(Path, engine.dirs):
        for path in folder.rglob("*.html"):
            engine.get_template(str(path.relative_to(folder)))
    reference.told(settings.BASE_URL)
