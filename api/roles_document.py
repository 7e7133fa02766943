"""docs/roles.md: what each role may do, as the rules themselves answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.apps import apps
from django.utils import translation
from django.utils.module_loading import module_has_submodule
from rules.predicates import Predicate
from rules.rulesets import default_rules

from workspaces.models import Membership, Role

INTRODUCTION = """# Roles

What a member of each role may do. Written by `manage.py roles --write` from the rules in each app's `rules.py`, which the code itself asks; tests hold every page and every operation of the API to them.

An API token does what its role says, within its scopes, and never more than its member may. Tasks do what a member or a schedule began: they ask no role, but an export sends only while its export user is an Administrator.

"""  # noqa: E501 - a paragraph of Markdown is a line


def written() -> str:
    with translation.override("en"):
        heading = ["Action", *(str(role.label) for role in Role)]
        rows = [heading, ["---"] * len(heading)]
        for action in sorted(default_rules):
            rows.append([f"`{action}`", *(answer(action, role) for role in Role)])
        return INTRODUCTION + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def answer(action: str, role: str) -> str:
    """Whether the role may: yes, no, or of which objects."""
    member = Membership(role=role)
    if default_rules.test_rule(action, member, None):
        return "yes"
    found = [
        (predicate.fn.__doc__ or predicate.name).strip()
        for predicate in _of_objects()
        if _may_where(predicate, action, member)
    ]
    return f"if it is {' or '.join(found)}" if found else "no"


def _may_where(predicate: Predicate, action: str, member: Membership) -> bool:
    with _taken_for_true(predicate):
        return bool(default_rules.test_rule(action, member, None))


@contextmanager
def _taken_for_true(predicate: Predicate) -> Iterator[None]:
    asked = predicate.fn
    predicate.fn = lambda member, target: True
    try:
        yield
    finally:
        predicate.fn = asked


def _of_objects() -> list[Predicate]:
    """The predicates that look at the object at hand."""
    found: dict[int, Predicate] = {}
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "rules"):
            module = import_module(f"{config.name}.rules")
            for value in vars(module).values():
                if isinstance(value, Predicate) and not value.var_args and value.num_args == 2:
                    found[id(value)] = value
    return list(found.values())
