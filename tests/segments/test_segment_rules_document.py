"""What docs/segment-rules.md says is so."""

import json
import re

from segments.models import AttributeType
from segments.operators import OPERATORS
from segments.rule_tree import Vocabulary, read, write
from tests.conftest import ROOT

TEXT = (ROOT / "docs/segment-rules.md").read_text(encoding="utf-8")
TYPES = {"City": "text", "YearlyIncome": "number", "LastOrder": "datetime", "EmailAddress": "text"}


def test_its_example_is_read_and_kept_as_it_is() -> None:
    found = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    tree = json.loads(found.group(1))
    assert write(read(tree, Vocabulary(TYPES, frozenset({12})))) == tree


def test_its_table_has_every_operator_and_the_types_it_fits() -> None:
    told = {}
    for line in re.findall(r"^\| `.*$", TEXT, re.MULTILINE):
        names, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        types = {kind for kind, cell in zip(AttributeType.values, cells, strict=False) if cell}
        told |= dict.fromkeys(re.findall(r"`(\w+)`", names), types)
    assert told == {name: set(one.types) for name, one in OPERATORS.items()}
