// Links: out of the book only after asking, notes in a window of their own, everything else a jump.
import { notice } from './notice.js'

const OUTSIDE = /^(https?|mailto):/i
const NOTE_TYPES = ['noteref', 'doc-noteref']
const BLOCKS = 'p, li, div, blockquote, dd, pre, h1, h2, h3, h4, h5, h6'
const dialog = document.getElementById('note')

const typesOf = element => [
    ...(element.getAttributeNS('http://www.idpf.org/2007/ops', 'type') ?? '').split(/\s+/),
    ...(element.getAttribute('role') ?? '').split(/\s+/),
]

const isNoteReference = a => typesOf(a).some(type => NOTE_TYPES.includes(type))
    || (!typesOf(a).some(type => /backlink$/.test(type)) && (a.closest('sup') || a.querySelector(':scope > sup:only-child')))

// The paragraphs of a note as plain text: what a book says, and nothing of how it wants to look on our page.
const noteText = (doc, id) => {
    let element = doc.getElementById(id) ?? doc.querySelector(`[name="${CSS.escape(id)}"]`)
    if (!element) return []
    element = element.closest('li, aside, dd') ?? element.closest(BLOCKS) ?? element
    if (element.textContent.length > 10_000) return []
    for (const back of element.querySelectorAll('a[href]'))
        if (/^[\s↩︎↑^←⏎]*$/u.test(back.textContent)) back.remove()
    const blocks = element.matches('p') ? [element] : [...element.querySelectorAll('p')]
    return (blocks.length ? blocks : [element]).map(block => block.textContent.replace(/\s+/g, ' ').trim())
        .filter(text => text)
}

export const setUpLinks = (view, jump) => {
    const { book } = view
    let target = null

    document.getElementById('go-to-note').addEventListener('click', () => {
        dialog.close()
        jump(target)
    })

    const showNote = async href => {
        const { index } = book.resolveHref(href)
        const [, id] = book.splitTOCHref(href)
        const text = await book.text(book.sections[index].address)
        const paragraphs = noteText(new DOMParser().parseFromString(text, 'application/xhtml+xml'), id)
        if (!paragraphs.length) return jump(href)
        dialog.querySelector('.text').replaceChildren(...paragraphs.map(paragraph => {
            const p = document.createElement('p')
            p.textContent = paragraph
            return p
        }))
        target = href
        dialog.showModal()
    }

    view.addEventListener('link', event => {
        event.preventDefault()
        const { a, href } = event.detail
        if (!book.resolveHref(href)) return notice('This link leads to something that the book does not show.')
        const [, id] = book.splitTOCHref(href)
        if (id && isNoteReference(a)) showNote(href).catch(() => jump(href))
        else jump(href)
    })

    view.addEventListener('external-link', event => {
        event.preventDefault()
        const { href } = event.detail
        if (!OUTSIDE.test(href)) return
        notice(`This link leaves the book, to ${href}`, [
            ['Open', () => open(href, '_blank', 'noopener,noreferrer')],
            ['Stay', null],
        ])
    })
}
