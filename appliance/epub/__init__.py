"""Open an EPUB safely: container, package, spine, contents list, one content document as a DOM."""
