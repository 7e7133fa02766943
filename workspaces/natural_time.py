"""What Django says of moments and gets wrong in Catalan or Spanish: named, so that we translate it.

Django looks for its own texts in our translations first.
"""

from django.utils.translation import gettext_noop, ngettext_lazy

TRANSLATED_HERE = (
    gettext_noop("%(delta)s ago"),
    gettext_noop("%(delta)s from now"),
    ngettext_lazy("a second from now", "%(count)s seconds from now", "count"),
    ngettext_lazy("a minute from now", "%(count)s minutes from now", "count"),
    ngettext_lazy("an hour from now", "%(count)s hours from now", "count"),
)
