// A document as positions count it (docs/reference/positions.md C.1), in the browser's own tree. For tests: `open` makes
// the document current, `pick` chooses places in it, `canonical` tells how many canonical characters stand before one.

const NO_INK = '\t\n\f\r \ufffd'
const ATOMS = ['img', 'svg', 'image', 'video', 'audio', 'math', 'iframe']
const OPEN = ['video', 'audio']
const SILENT = ['script', 'style', 'template']

const ink = text => Array.from(text).filter(c => !NO_INK.includes(c)).length

let doc, first, last, texts, shown, closed, count

export const read = (source, type) => {
    const parse = type => new DOMParser().parseFromString(source, type)
    const parsed = parse(type === 'text/html' ? type : type === 'image/svg+xml' ? type
        : type === 'application/xhtml+xml' ? type : 'application/xml')
    const fails = parsed.querySelector('parsererror')
        || type === 'application/xhtml+xml' && !parsed.documentElement.namespaceURI
    return fails ? parse('text/html') : parsed
}

export const open = document => {
    doc = document
    first = new Map()
    last = new Map()
    texts = []
    shown = new Set()
    closed = new Set()
    count = 0
    const body = doc.body && doc.documentElement.localName === 'html' ? doc.body : doc.documentElement
    const visit = (node, hidden) => {
        first.set(node, count)
        if (node.nodeType === 3 || node.nodeType === 4) {
            if (!hidden) {
                texts.push(node)
                shown.add(node)
                count += ink(node.data)
            }
        } else if (node.nodeType === 1) {
            if (!hidden && node !== body && ATOMS.includes(node.localName)) count++
            const inside = hidden || node !== body && (SILENT.includes(node.localName)
                || ATOMS.includes(node.localName) && !OPEN.includes(node.localName) && node.localName !== body.localName)
            if (inside) closed.add(node)
            for (const child of node.childNodes) visit(child, inside)
        }
        last.set(node, count)
    }
    visit(body, false)
    return [doc instanceof HTMLDocument || doc.contentType === 'text/html' ? 'html' : 'xml', count]
}

// [container, offset] for two numbers in 0 … 1: a place in some text, never inside a character.
export const pick = (which, where) => {
    const node = texts[Math.floor(which * texts.length)]
    let offset = Math.round(where * node.data.length)
    if (offset && /[\udc00-\udfff]/.test(node.data[offset] ?? '') && /[\ud800-\udbff]/.test(node.data[offset - 1])) offset--
    return [node, offset]
}

export const hasText = () => texts.length > 0
export const theDocument = () => doc

export const canonical = (container, offset) => {
    if (container.nodeType === 3 || container.nodeType === 4)
        return first.get(container) + (shown.has(container) ? ink(container.data.slice(0, offset)) : 0)
    if (!first.has(container)) return container.contains(doc.body) && offset ? count : 0
    const child = container.childNodes[offset]
    if (closed.has(container) || offset === 0) return first.get(container)
    return child ? first.get(child) : last.get(container)
}

export const rangeOf = ([a, i], [b, j]) => {
    const range = doc.createRange()
    range.setStart(a, i)
    range.setEnd(b, j)
    if (range.collapsed && (a !== b || i !== j)) range.setStart(b, j), range.setEnd(a, i)
    return range
}

export const placesOf = range => [
    canonical(range.startContainer, range.startOffset),
    canonical(range.endContainer, range.endOffset),
]
