// The words of a selection or a highlight: where they begin and end, what they say, and where they lie on the page.
import { CFI } from './foliate.js'
import { rootOf } from './book.js'
import { INK, following, isText } from './place.js'

const BLOCKS = 'p, li, dd, dt, pre, h1, h2, h3, h4, h5, h6, td, th, caption, figcaption, blockquote, div, section, body'
const SILENT = 'style, script, template'

// Text and pictures in a range, in order: `{ node, from, to }`; of a picture only the node.
function* pieces(range) {
    const { startContainer, startOffset, endContainer, endOffset } = range
    for (const [node, from] of following(rootOf(startContainer.ownerDocument), startContainer, startOffset)) {
        if (!range.intersectsNode(node)) return
        if (!isText(node)) {
            yield { node }
            continue
        }
        const to = node === endContainer ? endOffset : node.length
        if (from < to && !node.parentElement?.matches(SILENT)) yield { node, from, to }
        if (node === endContainer) return
    }
}

// The part of a piece of text between its first and its last character with ink.
const inked = ({ node, from, to }) => {
    const start = node.data.slice(from, to).search(INK)
    if (start < 0) return null
    while (!INK.test(node.data[to - 1])) to--
    return { node, from: from + start, to }
}

// A selection without the white space at its ends; `null` when no text is in it.
export const tightened = range => {
    let first = null
    let last = null
    for (const piece of pieces(range)) {
        const found = isText(piece.node) && inked(piece)
        if (!found) continue
        first ??= found
        last = found
    }
    if (!first) return null
    const words = range.cloneRange()
    words.setStart(first.node, first.from)
    words.setEnd(last.node, last.to)
    return words
}

// What the words say, as the book has them and not as they are styled; a line for each paragraph.
export const textOf = range => {
    const lines = []
    let block = null
    for (const { node, from, to } of pieces(range)) {
        if (!isText(node)) continue
        const around = node.parentElement.closest(BLOCKS)
        if (around !== block || !lines.length) lines.push('')
        block = around
        lines[lines.length - 1] += node.data.slice(from, to)
    }
    return lines.map(line => line.replace(/[\t\n\f\r ]+/g, ' ').trim()).filter(line => line).join('\n')
}

// Where the words lie, line by line, in the coordinates of the frame.
export const rectsOf = range => [...pieces(range)].flatMap(({ node, from, to }) => {
    const part = node.ownerDocument.createRange()
    if (isText(node)) {
        part.setStart(node, from)
        part.setEnd(node, to)
    } else part.selectNode(node)
    return [...part.getClientRects()].filter(rect => rect.width > 0 && rect.height > 0)
})

// The range CFI of words in a section.
export const cfiOf = (book, index, words) => {
    const cfi = CFI.fromRange(words)
    const root = rootOf(words.startContainer.ownerDocument)
    const inner = root === root.ownerDocument.documentElement
        ? cfi : cfi.replace(/^epubcfi\(\/4\/2(\[(?:\^.|[^\]^])*\])?/, 'epubcfi(')
    return CFI.joinIndir(book.sections[index].cfi, inner)
}

// The part of a range CFI that lies in a section, which may be one of several; `null` when none of it does.
export const rangeIn = (book, cfi, index, doc) => {
    const first = book.resolveCFI(CFI.collapse(cfi))
    const last = book.resolveCFI(CFI.collapse(cfi, true))
    if (!first || !last || index < first.index || index > last.index) return null
    const range = doc.createRange()
    range.selectNodeContents(rootOf(doc))
    if (first.index === index) {
        const { startContainer, startOffset } = first.anchor(doc)
        range.setStart(startContainer, startOffset)
    }
    if (last.index === index) {
        const { endContainer, endOffset } = last.anchor(doc)
        range.setEnd(endContainer, endOffset)
    }
    return range
}
