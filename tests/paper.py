"""A page as it is printed: what of it lies over something else, and what is cut off."""

from typing import NamedTuple

from playwright.sync_api import Page


class Sheet(NamedTuple):
    """What is printed on, within its margins, in CSS pixels."""

    width: int
    height: int


A4, LETTER = Sheet(680, 1009), Sheet(702, 942)
# Pages stand beside each other as columns do: Chromium breaks what is on them in the same way, and
# of columns it tells where everything is. Each line of words is compared with all others; between
# two lines there is less than their letters' height.
FAULTS = """
([width, height]) => {
  const gap = 40;
  const main = document.querySelector("main");
  Object.assign(main.style, {
    width: `${width}px`, height: `${height}px`, maxWidth: "none", minHeight: "0",
    columnWidth: `${width}px`, columnGap: `${gap}px`, columnFill: "auto",
  });
  const edge = main.getBoundingClientRect();
  const lines = [];
  const walk = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const { currentNode: node } = walk;
    const within = node.parentElement;
    if (!node.data.trim() || within.closest(".visually-hidden, title")) continue;
    if (!within.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects())
      if (box.width > 1) lines.push({ box, node, said: node.data.trim().slice(0, 40) });
  }
  const cut = lines.filter(({ box }) => {
    const from = (box.left - edge.left) % (width + gap);
    return from + box.width > width + 1 || box.bottom > edge.top + height + 1;
  }).map(({ said }) => `cut off: ${said}`);
  for (const one of main.querySelectorAll("*")) {
    const look = getComputedStyle(one);
    if (!one.checkVisibility() || one.closest(".visually-hidden, svg")) continue;
    if (look.overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1 && one.clientWidth)
      cut.push(`wider than it shows: ${one.outerHTML.slice(0, 80)}`);
  }
  const inner = ({ box }) => ({
    left: box.left + 1, right: box.right - 1,
    top: box.top + box.height / 4, bottom: box.bottom - box.height / 4,
  });
  const boxes = lines.map(inner);
  const over = [];
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, j) => {
    // A table's headings are there again on each sheet.
    if (lines[i].node === lines[i + 1 + j].node) return;
    if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      over.push(`“${lines[i].said}” over “${lines[i + 1 + j].said}”`);
  }));
  const place = ({ box }) => Math.floor((box.left - edge.left) / (width + gap));
  const pages = 1 + Math.max(...lines.map(place));
  return { pages, lines: lines.length, faults: [...cut, ...over].slice(0, 10) };
}
"""


def printed(tab: Page, sheet: Sheet) -> tuple[int, list[str]]:
    """So many sheets, and what is wrong on them. The tab's page is of no other use afterwards."""
    tab.set_viewport_size({"width": sheet.width, "height": sheet.height})
    tab.emulate_media(media="print")
    found = tab.evaluate(FAULTS, list(sheet))
    assert found["lines"], "nothing is printed"
    return found["pages"], found["faults"]
