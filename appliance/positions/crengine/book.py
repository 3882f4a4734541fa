"""One book as KOReader's engine reads it: the trees of its documents, and the old numbers of its fragments."""

from collections.abc import Callable

from appliance.epub.archive import Archive
from appliance.epub.errors import BookError
from appliance.epub.package import read_package
from appliance.positions.crengine.defaults import Dom
from appliance.positions.crengine.fragments import has_body, notice
from appliance.positions.crengine.scan import decode
from appliance.positions.crengine.styles import StyleBook
from appliance.positions.crengine.tree import FragmentTree
from appliance.positions.summary import BookSummary, SpineDocument


class EngineBook:
    """`archive` opens the book; `read` gives the bytes of an entry. Both may raise `BookError` or `OSError`."""

    def __init__(self, archive: Callable[[], Archive], read: Callable[[str], bytes]) -> None:
        self._archive = archive
        self._read = read
        self._styles = StyleBook(read)

    def tree(self, document: SpineDocument, text: str, dom: Dom) -> FragmentTree:
        """The tree of a document whose canonical text is `text`."""
        tree = FragmentTree(decode(self._read(document.path)), document.path, self._styles, text, dom)
        if not tree.bodies:
            tree.show(self._notice(document))
        return tree

    def notice(self, document: SpineDocument) -> FragmentTree:
        """What the engine shows in place of a document that the archive does not have."""
        tree = FragmentTree("", document.path, self._styles)
        tree.show(self._notice(document))
        return tree

    def current_fragment(self, summary: BookSummary, old: int) -> int:
        """Today's number of a DocFragment that was numbered before 2024, when items of other media types and documents
        that cannot be read had none (xpointer.md 2.5); 0 if there is none. The pointer itself does not tell its age,
        unless boxes are among its steps."""
        documents = [document for document in summary.documents if document.fragment is not None]
        ends = [document.fragment for document in documents[1:]] + [summary.fragments + 1]
        for document, end in zip(documents, ends, strict=True):
            assert document.fragment is not None
            assert end is not None
            count = end - document.fragment if self._was_counted(document) else 0
            if old <= count:
                return document.fragment + old - 1
            old -= count
        return 0

    def _was_counted(self, document: SpineDocument) -> bool:
        try:
            return document.media_type == "application/xhtml+xml" and has_body(self._read(document.path), document.path)
        except BookError:
            return False

    def _notice(self, document: SpineDocument) -> str:
        item_id = read_package(self._archive()).spine[document.ordinal].idref
        return notice(document.path, document.media_type, item_id)
