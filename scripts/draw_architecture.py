"""Draws docs/architecture.md's picture of who imports whom, from the real imports.

`--check` changes nothing and ends with status 1 when the picture is not what the imports say.
"""

import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- imports: begin -->", "<!-- imports: end -->"
PARTS = ("api", "exports", "connections", "segments", "workspaces", "config", "sandbox")
INNER = ("connections.constant_contact", "connections.provider")
NAMES = (*PARTS, *INNER)


def part_of(module: str) -> str:
    inner = (one for one in INNER if module.startswith(one))
    return next(inner, module.split(".")[0])


def arrows() -> set[tuple[str, str]]:
    """Which part imports which other."""
    sys.path.insert(0, str(ROOT))
    graph = grimp.build_graph(*PARTS, cache_dir=None)
    ends = (
        (part_of(module), part_of(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    )
    return {(above, below) for above, below in ends if above != below}


def picture() -> str:
    lines = ["```mermaid", "flowchart TD"]
    lines += [f'    {name.replace(".", "_")}["{name.replace(".", "/")}/"]' for name in NAMES]
    for above, below in sorted(arrows(), key=lambda one: tuple(map(NAMES.index, one))):
        lines.append(f"    {above.replace('.', '_')} --> {below.replace('.', '_')}")
    return "\n".join([*lines, "```"])


def main() -> int:
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    fresh = f"{before}{BEGIN}\n{picture()}\n{END}{after}"
    if fresh == page:
        return 0
    if "--check" in sys.argv:
        print(f"{PAGE.name} does not show today's imports: run scripts/draw_architecture.py")
        return 1
    PAGE.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
