// Where on the page the reader is: the first word that can be seen, as a CFI; and back.
import { CFI } from './foliate.js'
import { rootOf } from './book.js'

// What counts as text is what the server counts (docs/reference/positions.md C.1).
export const INK = /[^\t\n\f\r \ufffd]/u
const ATOMS = 'img, svg, image, video, audio, math'
const LETTER = /[\p{L}\p{M}\p{N}]/u
// Scripts that are written without spaces have no words to stay inside of.
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u
const LONGEST_WORD = 80

export const isText = node => node.nodeType === Node.TEXT_NODE || node.nodeType === Node.CDATA_SECTION_NODE

const characterAt = (text, offset) => String.fromCodePoint(text.codePointAt(offset))

const characterRange = (node, offset) => {
    const range = node.ownerDocument.createRange()
    range.setStart(node, offset)
    range.setEnd(node, offset + characterAt(node.data, offset).length)
    return range
}

const rectOf = target => Array.from(target.getClientRects()).find(rect => rect.width > 0 && rect.height > 0)

// A picture or formula is one character, whatever is inside it.
const isAtom = (node, root) => node !== root && node.nodeType === Node.ELEMENT_NODE && node.matches(ATOMS)

const atomAround = (node, root) => {
    let atom = null
    for (; node && node !== root; node = node.parentNode) if (isAtom(node, root)) atom = node
    return atom
}

const behind = (node, root) => {
    while (node !== root && !node.nextSibling) node = node.parentNode
    return node === root ? null : node.nextSibling
}

// Text nodes and pictures from a boundary point on, in document order, with the offset to begin at.
export function* following(root, container, offset) {
    const atom = atomAround(container, root)
    let node = atom ?? (isText(container) ? container : container.childNodes[offset] ?? behind(container, root))
    let from = node === container && !atom ? offset : 0
    while (node) {
        if (isText(node) || isAtom(node, root)) yield [node, from]
        from = 0
        node = (!isAtom(node, root) && node.firstChild) || behind(node, root)
    }
}

// The first character with ink from `offset` on that is laid out at all; `null` in hidden text.
const firstCharacter = (node, offset) => {
    const text = node.data
    for (let at = offset; at < text.length; at++) {
        if (/[\udc00-\udfff]/.test(text[at]) && at > 0 && /[\ud800-\udbff]/.test(text[at - 1])) continue
        if (!INK.test(characterAt(text, at))) continue
        const rect = rectOf(characterRange(node, at))
        if (rect) return { node, offset: at, rect }
        if (!rectOf(node.parentNode)) return null
    }
    return null
}

// A page may begin inside a hyphenated word; then the first word on it is the next one.
const atWord = ({ node, offset, rect }) => {
    const text = node.data
    const inside = at => at > 0 && LETTER.test(characterAt(text, at)) && LETTER.test(text[at - 1])
        && !UNSPACED.test(characterAt(text, at)) && !UNSPACED.test(text[at - 1])
    if (!inside(offset)) return { node, offset, rect }
    for (let at = offset; at < Math.min(text.length, offset + LONGEST_WORD); at++)
        if (!INK.test(text[at])) return firstCharacter(node, at) ?? { node, offset, rect }
    return { node, offset, rect }
}

// Whether a rectangle of the frame lies before (-1), on (0) or after (1) the page that shows; as the paginator counts.
const sideOf = (renderer, doc, rect) => {
    const { size, start, end, pages } = renderer
    const { writingMode, direction } = doc.defaultView.getComputedStyle(doc.body)
    const rtl = direction === 'rtl' || doc.body.dir === 'rtl' || doc.documentElement.dir === 'rtl'
    const [at, from, to] = writingMode.startsWith('vertical') ? [rect.top, start - size, end - size]
        : rtl ? [pages * size - rect.right, start + size, end + size]
            : [rect.left, start - size, end - size]
    return at < from - 1 ? -1 : at >= to - 1 ? 1 : 0
}

// The place of the page that shows: `{ cfi }`, or `null` when the page holds nothing that has a place.
// `doc`: of the section, for a book of fixed layout.
export const placeOn = (view, { index, range, doc }) => {
    const { renderer, book } = view
    const base = book.sections[index]?.cfi
    if (!base) return null
    if (view.isFixedLayout) return { cfi: CFI.joinIndir(base, doc ? startOf(doc) : 'epubcfi(/4)') }
    // Beyond both ends of a section the paginator has an empty page, shown on the way to the next.
    if (!range || renderer.page < 1 || renderer.page > renderer.pages - 2) return null
    doc = range.startContainer.ownerDocument
    if (doc.documentElement.hasAttribute('data-bookwake-problem')) return null
    const found = firstOn(renderer, doc, range)
    return found && { cfi: CFI.joinIndir(base, localCFI(doc, found)) }
}

// A page of a fixed layout is a whole document, so its place is that of its first text or picture.
const startOf = doc => {
    const start = shown(doc, rootOf(doc))
    return typeof start === 'number' ? 'epubcfi(/4)' : localCFI(doc, start.nodeType ? rangeOf(start) : start)
}

const rangeOf = element => {
    const range = element.ownerDocument.createRange()
    range.selectNode(element)
    return range
}

const firstOn = (renderer, doc, range) => {
    let picture = null
    for (const [node, offset] of following(rootOf(doc), range.startContainer, range.startOffset)) {
        if (!isText(node)) {
            const rect = rectOf(node)
            if (!rect) continue
            const side = sideOf(renderer, doc, rect)
            if (side > 0) break
            if (side === 0) picture ??= node
            continue
        }
        let character = firstCharacter(node, offset)
        // The paginator's start may be a little early.
        while (character && sideOf(renderer, doc, character.rect) < 0)
            character = firstCharacter(node, character.offset + 1)
        if (!character) continue
        if (sideOf(renderer, doc, character.rect) > 0) break
        const word = atWord(character)
        const { node: text, offset: at } = sideOf(renderer, doc, word.rect) === 0 ? word : character
        return characterRange(text, at)
    }
    if (!picture) return null
    return rangeOf(picture)
}

// The CFI of the start of a range inside its document. Of a picture, the element itself.
const localCFI = (doc, range) => {
    const point = doc.createRange()
    const { startContainer, startOffset } = range
    if (isText(startContainer)) point.setStart(startContainer, startOffset)
    else point.setStart(startContainer.childNodes[startOffset], 0)
    point.collapse(true)
    const cfi = CFI.fromRange(point)
    if (rootOf(doc) === doc.documentElement) return cfi
    return cfi.replace(/^epubcfi\(\/4\/2(\[(?:\^.|[^\]^])*\])?/, 'epubcfi(')
}

// What a place is shown by: the text or picture there, or the next that is laid out, or the last before; else 0, the
// start of the section. Without a rectangle the paginator would stay where it is.
export const shown = (doc, target) => {
    const point = target?.startContainer ? target : null
    const [container, offset] = point ? [point.startContainer, point.startOffset] : [target, 0]
    if (!container?.ownerDocument) return 0
    for (const [node, from] of following(rootOf(doc), container, offset)) {
        if (!isText(node)) {
            if (rectOf(node)) return node
            continue
        }
        const character = firstCharacter(node, from)
        if (character) return characterRange(character.node, character.offset)
    }
    return 1
}

const MARKED = 5000 // ms

// Point out the word at a place for a moment, without touching the document.
export const pointOut = range => {
    const node = range?.startContainer
    const { Highlight, CSS } = node?.ownerDocument.defaultView ?? {}
    if (!Highlight || !isText(node)) return
    const word = range.cloneRange()
    const rest = node.data.slice(range.startOffset, range.startOffset + LONGEST_WORD)
    word.setEnd(node, range.startOffset + (UNSPACED.test(rest[0]) ? range.endOffset - range.startOffset : rest.search(/\s|$/)))
    CSS.highlights.set('bookwake-here', new Highlight(word))
    setTimeout(() => CSS.highlights.delete('bookwake-here'), MARKED)
}
