"""One content document of an open book, with everything that was made of it, and how heavy that is."""

from appliance.positions.crengine.defaults import Dom
from appliance.positions.crengine.tree import FragmentTree
from appliance.positions.document import DocumentIndex
from appliance.positions.epubjs import EpubjsView
from appliance.positions.recent import Recent

# Bytes kept for each byte of the file, measured over the corpus: 6 to 10 for the index, 5 to 8 for the tree.
INDEX_WEIGHT = 8
TREE_WEIGHT = 7


class OpenDocument:
    """The index of one document and, once they are asked for, the trees that KOReader and epub.js make of it."""

    __slots__ = ("index", "trees", "view")

    def __init__(self, index: DocumentIndex) -> None:
        self.index = index
        self.trees: dict[Dom, FragmentTree] = {}
        self.view: EpubjsView | None = None

    @property
    def weight(self) -> int:
        """Bytes kept for each byte of the file."""
        trees = len({id(tree) for tree in self.trees.values()})
        return INDEX_WEIGHT * (1 if self.view is None else 2) + TREE_WEIGHT * trees


Documents = Recent[tuple[str, str], OpenDocument]
