"""The reader in a real browser, and what stands at the top of its page."""

import sqlite3
from contextlib import closing
from typing import Any

from playwright.sync_api import Page

from tests.server import Server

# What a person sees first, found by asking the browser which text lies where, and not by the reader's own code: in the
# first column, the first line that has text, from its first character on.
_TOP = """(count) => {
    const view = document.querySelector('foliate-view')
    const [{ doc }] = view.renderer.getContents()
    const frame = doc.defaultView.frameElement.getBoundingClientRect()
    const page = view.getBoundingClientRect()
    const x = page.left + page.width / 4
    for (let y = page.top + 2; y < page.bottom; y += 4) {
        const caret = doc.caretRangeFromPoint(x - frame.left, y - frame.top)
        if (caret?.startContainer.nodeType !== 3) continue
        const rectAt = (node, offset) => {
            const range = doc.createRange()
            range.setStart(node, offset)
            range.setEnd(node, offset + 1)
            return range.getClientRects()[0]
        }
        let node = caret.startContainer, offset = Math.min(caret.startOffset, node.data.length - 1)
        const line = rectAt(node, offset)
        if (!line || Math.abs((line.top + line.bottom) / 2 + frame.top - y) > line.height) continue
        const walker = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT)
        walker.currentNode = node
        // Back to the start of the line, over the borders of inline elements.
        for (let at = node, from = offset; ;) {
            if (from === 0) {
                at = walker.previousNode()
                if (!at) break
                from = at.data.length
                continue
            }
            const before = rectAt(at, --from)
            if (!before || !before.width) continue
            if (before.bottom < line.top + 2 || before.right > line.left + page.width) break
            if (Math.abs(before.bottom - line.bottom) > line.height / 2) break
            node = at
            offset = from
        }
        walker.currentNode = node
        let text = node.data.slice(offset)
        while (text.length < count && walker.nextNode()) text += ' ' + walker.currentNode.data
        return text.replace(/\\s+/g, ' ').trim().slice(0, count)
    }
    return ''
}"""


class OpenReader:
    """The reader on one book. `page`: Playwright's page, signed in."""

    def __init__(self, page: Page, server: Server, book_id: str) -> None:
        self.page, self.server, self.book_id = page, server, book_id

    def open(self) -> "OpenReader":
        """Open the book (again) and wait until its page stands."""
        self.page.goto(f"{self.server.url}/read/{self.book_id}")
        self.page.locator("#page[data-state=ready]").wait_for()
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until fonts and layout are done and no page turn is under way."""
        self.page.evaluate(
            """async () => {
                const view = document.querySelector('foliate-view')
                for (const { doc } of view.renderer.getContents()) await doc.fonts?.ready
                await new Promise(resolve => setTimeout(resolve, 150))
                await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))
            }"""
        )

    @property
    def cfi(self) -> str:
        """The place of the page that shows, as the reader would report it."""
        return self.page.locator("#page").get_attribute("data-place") or ""

    def top(self, count: int = 40) -> str:
        """The first characters that show."""
        return str(self.page.evaluate(_TOP, count))

    def turn(self, times: int = 1, key: str = "PageDown") -> None:
        """Turn pages by the keyboard, each when the one before stands."""
        for _ in range(times):
            before = self.cfi
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(130)
            self.wait_moved(before)

    def jump(self, chapter: str) -> None:
        """Go to a chapter by the contents list, and wait until it stands."""
        before = self.cfi
        self.page.keyboard.press("c")
        self.page.click(f"#contents >> text={chapter}")
        self.wait_moved(before)

    def wait_moved(self, before: str) -> None:
        """Wait until another page than the one of `before` stands."""
        for _ in range(600):
            if self.cfi != before:
                break
            self.page.wait_for_timeout(50)
        else:
            raise AssertionError("no other page came")
        self.settle()

    def wait_saved(self) -> None:
        """Wait until the server has what the reader did."""
        unsent = "id => Object.keys(localStorage).some(key => key.startsWith('bookwake-unsent') && key.endsWith(id))"
        for _ in range(100):
            if not self.page.evaluate(unsent, self.book_id):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("the place was not saved")

    def progress(self) -> dict[str, Any]:
        """What the progress API answers this browser."""
        return self.page.evaluate(
            "url => fetch(url).then(answer => answer.json())", f"/api/books/{self.book_id}/progress"
        )


def books(server: Server) -> dict[str, str]:
    """Book ids by file name."""
    rows = query(
        server,
        "SELECT libraryfile.path, rendition.book_id FROM libraryfile JOIN rendition USING (sha256)",
    )
    return {path.rpartition("/")[2]: book_id for path, book_id in rows}


def query(server: Server, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of the server's database."""
    with closing(sqlite3.connect(server.data / "bookwake.sqlite3")) as connection:
        return connection.execute(statement, values).fetchall()


def journal(server: Server) -> list[tuple[str, str, str]]:
    """Outcome, reason and locator of every report so far."""
    return query(server, "SELECT outcome, reason, locator FROM journalentry ORDER BY id")
