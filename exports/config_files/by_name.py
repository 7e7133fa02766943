"""Rules with segments by their names, as files have them, and by their ids, as they are kept."""

from collections.abc import Mapping
from typing import Any

from exports.config_files.document import Problem
from exports.config_files.yaml_text import Path
from segments.rule_values import identifier

ORDER = ("match", "rules", "attribute", "segment", "operator", "value", "unit")


def named(tree: Any, names: Mapping[int, str]) -> Any:
    """A reference to a segment that is gone, which only drafts have, becomes null."""
    if isinstance(tree, list):
        return [named(one, names) for one in tree]
    if not isinstance(tree, dict):
        return tree
    keys = sorted(tree, key=lambda key: (ORDER.index(key) if key in ORDER else len(ORDER), key))
    found = {key: named(tree[key], names) for key in keys}
    if "segment" in found and "match" not in found:
        pk = identifier(tree["segment"])
        found["segment"] = names.get(pk) if pk is not None else None
    return found


def with_ids(tree: Any, ids: Mapping[str, int], path: Path, *, is_draft: bool) -> Any:
    """Raises `Problem` for a segment that there is not, but in a draft, where it is left open."""
    if isinstance(tree, list):
        return [
            with_ids(one, ids, (*path, place), is_draft=is_draft) for place, one in enumerate(tree)
        ]
    if not isinstance(tree, dict):
        return tree
    found = {
        key: with_ids(value, ids, (*path, key), is_draft=is_draft) for key, value in tree.items()
    }
    if "segment" in found and "match" not in found:
        name = tree["segment"]
        found["segment"] = ids.get(name) if isinstance(name, str) else None
        if found["segment"] is None and not is_draft:
            raise Problem(
                (*path, "segment"),
                f"There is no segment “{str(name)[:100]}” that is finished. Name another one, or"
                " add it to the file.",
            )
    return found


def segments_named(tree: Any) -> set[str]:
    if isinstance(tree, list):
        return set().union(*map(segments_named, tree)) if tree else set()
    if not isinstance(tree, dict):
        return set()
    if "match" in tree:
        return segments_named(tree.get("rules"))
    name = tree.get("segment")
    return {name} if isinstance(name, str) else set()
