"""Values as a page's form posts them, for those who ask the screens' forms without a page."""

from typing import Any

from django.http import QueryDict


def posted(**values: Any) -> QueryDict:
    """False and None not at all, lists one by one."""
    data = QueryDict(mutable=True)
    for name, value in values.items():
        if isinstance(value, list | tuple):
            data.setlist(name, [str(one) for one in value])
        elif value is True:
            data[name] = "on"
        elif value is not None and value is not False:
            data[name] = str(value)
    return data
