"""Hands and eyes for highlights in the open reader: where words are, what is selected, and what is drawn over what."""

from typing import Any

from playwright.sync_api import Locator, Page

# The words as they stand in the text nodes of the open document, wherever element borders are: a DOM range.
_FIND = """
const find = words => {
    const [{ doc }] = document.querySelector('foliate-view').renderer.getContents()
    const walker = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT)
    const wanted = words.replace(/[\\t\\n\\f\\r \\ufffd]+/g, '')
    let ink = ''
    const at = []
    while (walker.nextNode()) {
        const { data } = walker.currentNode
        for (let i = 0; i < data.length; i++) {
            if (/[\\t\\n\\f\\r \\ufffd]/.test(data[i])) continue
            ink += data[i]
            at.push([walker.currentNode, i])
        }
    }
    const from = ink.indexOf(wanted)
    if (from < 0) return null
    const range = doc.createRange()
    range.setStart(...at[from])
    const [node, offset] = at[from + wanted.length - 1]
    range.setEnd(node, offset + 1)
    return range
}
"""

_ENDS = (
    """words => {"""
    + _FIND
    + """
    const range = find(words)
    if (!range) return null
    const frame = range.startContainer.ownerDocument.defaultView.frameElement.getBoundingClientRect()
    const rects = [...range.getClientRects()].filter(rect => rect.width > 0)
    const [first, last] = [rects[0], rects.at(-1)]
    return [first.left + frame.left + 1, first.top + first.height / 2 + frame.top,
        last.right + frame.left - 1, last.top + last.height / 2 + frame.top]
}"""
)

_SELECT = (
    """words => {"""
    + _FIND
    + """
    const range = find(words)
    const selection = range.startContainer.ownerDocument.getSelection()
    selection.removeAllRanges()
    selection.addRange(range)
}"""
)

# Where the end of the words is that a handle is for: its handle hangs below the line.
_LINE = """id => {
    const { left, top } = document.getElementById(id).style
    return [parseFloat(left), parseFloat(top) - 8]
}"""

# What lies under the drawing of a highlight, asked of the browser rectangle by rectangle: each character whose middle
# is inside one.
_COVERED = """() => {
    const covered = {}
    for (const { doc, overlayer } of document.querySelector('foliate-view').renderer.getContents()) {
        for (const group of overlayer.element.querySelectorAll('[data-mark]')) {
            const rects = [...group.querySelectorAll('rect')].map(rect =>
                ['x', 'y', 'width', 'height'].map(name => Number(rect.getAttribute(name))))
            let text = ''
            const walker = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT)
            while (walker.nextNode()) {
                const node = walker.currentNode
                for (let i = 0; i < node.length; i++) {
                    if (/[\\t\\n\\f\\r \\ufffd]/.test(node.data[i])) continue
                    const range = doc.createRange()
                    range.setStart(node, i)
                    range.setEnd(node, i + 1)
                    const box = range.getClientRects()[0]
                    if (!box) continue
                    const x = box.left + box.width / 2
                    // A line lies at the foot of its characters, everything else over their middle.
                    if (rects.some(([left, top, width, height]) => left <= x && x < left + width && (height < 4
                        ? Math.abs(top - box.bottom) < 4
                        : top <= box.top + box.height / 2 && box.top + box.height / 2 < top + height)))
                        text += node.data[i]
                }
            }
            covered[group.dataset.mark] = text
        }
    }
    return covered
}"""


class Hand:
    """What a person does to highlights. `page`: with an open reader."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def drag(self, words: str) -> None:
        """Select words that show, with the mouse."""
        x, y, to_x, to_y = self.ends(words)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move((x + to_x) / 2, (y + to_y) / 2, steps=3)
        self.page.mouse.move(to_x, to_y, steps=5)
        self.page.mouse.up()
        self.bar.wait_for()

    def select(self, words: str) -> None:
        """Select words anywhere in the open document."""
        self.page.evaluate(_SELECT, words)
        self.bar.wait_for()

    def tap(self, words: str) -> None:
        """Tap on the first of the words."""
        x, y, *_ = self.ends(words)
        self.page.mouse.click(x + 6, y)

    def pull(self, handle: Locator, x: float, y: float) -> None:
        """Drag an end of the open highlight to a place in a line."""
        box = handle.bounding_box()
        assert box is not None
        middle, line = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        place = self.page.evaluate(_LINE, handle.get_attribute("id"))
        self.page.mouse.move(middle, line)
        self.page.mouse.down()
        self.page.mouse.move(x + middle - place[0], y + line - place[1], steps=6)
        self.page.mouse.up()

    def wait_covered(self, words: str) -> None:
        """Wait until the only highlight is over these words."""
        for _ in range(100):
            if list(self.drawn().values()) == ["".join(words.split())]:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"not over “{words}”: {self.drawn()}")

    def ends(self, words: str) -> list[float]:
        """Where the words begin and end in the window."""
        found = self.page.evaluate(_ENDS, words)
        assert found, f"“{words}” is not in the open document"
        return list(found)

    @property
    def bar(self) -> Any:
        return self.page.locator("#mark-bar")

    def paint(self, colour: str) -> None:
        self.page.click(f"#mark-bar [aria-label={colour}]")

    def drawn(self) -> dict[str, str]:
        """The characters under each drawn highlight, without white space, by its id."""
        return dict(self.page.evaluate(_COVERED))

    def wait_drawn(self, count: int) -> dict[str, str]:
        """Wait until that many are drawn."""
        for _ in range(100):
            drawn = self.drawn()
            if len(drawn) == count:
                return drawn
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{len(drawn)} are drawn: {drawn}")
