// A book as foliate-js wants it, made of the server's manifest and of single documents.
//
// The server has resolved every reference: what a document loads is an address like /books/…/entry/…, found nowhere
// else, which is swapped here for a blob; links are `/` and a path in the book. Nothing is parsed or written again, so
// the tree in the frame is the one that the server made, and its positions agree with ours.
import { CFI } from './foliate.js'

const ENTRY = /\/books\/[0-9a-f]{64}\/\d+\/entry\/[A-Za-z0-9%._~/-]+/g
const EXTERNAL = /^[a-z][a-z0-9+.-]*:/i
const XHTML = 'application/xhtml+xml'

const decode = text => {
    try {
        return decodeURIComponent(text)
    } catch {
        return text
    }
}

const escapeXML = text => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt()};`)

const split = href => {
    const [path, fragment] = href.split('#')
    return [decode(path.replace(/^\//, '')), fragment && decode(fragment)]
}

const stepOf = steps => steps.map(part => part.index).join('/')

const elementOf = (doc, id) => doc.getElementById(id) ?? doc.querySelector(`[name="${CSS.escape(id)}"]`)

// The root that positions count from: a document that is no XHTML page (SVG, foreign XML) is shown inside one.
export const rootOf = doc => doc.documentElement.hasAttribute('data-bookwake-wrapped')
    ? doc.body.firstElementChild : doc.documentElement

export class Book {
    #indexes // of the sections, by the step that a CFI names them by

    // The paginator listens here to adapt style sheets to pages.
    transformTarget = new EventTarget()

    constructor(manifest) {
        this.sha256 = manifest.sha256
        this.dir = manifest.direction || null
        this.metadata = { title: manifest.title, language: manifest.language }
        this.rendition = { layout: manifest.fixed ? 'pre-paginated' : 'reflowable' }
        this.toc = manifest.contents
        this.sections = manifest.sections.filter(section => section.path).map(section => this.#section(section))
        // The first of two that are named alike.
        this.#indexes = new Map(this.sections.map(({ cfi }, index) => [stepOf(CFI.parse(cfi)[0]), index]).reverse())
        this.total = this.sections.reduce((sum, section) => sum + section.size, 0)
    }

    #section({ path, address, cfi, length, linear, spread }) {
        const blobs = []
        return {
            id: path,
            address,
            cfi,
            // For foliate, the weight of a section in the book.
            size: linear ? Math.max(length, 1) : 0,
            linear: linear ? 'yes' : 'no',
            pageSpread: spread,
            resolveHref: href => href.startsWith('#') ? `/${encodeURI(path)}${href}` : href,
            load: () => this.#load(address, blobs),
            unload: () => {
                for (const url of blobs.splice(0)) URL.revokeObjectURL(url)
            },
        }
    }

    // A blob of the document; of an explanation if it cannot be had, because foliate does not survive a failure.
    async #load(address, blobs) {
        let text
        try {
            text = await this.#swap(await this.text(address), blobs, [])
        } catch (error) {
            text = `<html xmlns="http://www.w3.org/1999/xhtml" data-bookwake-problem=""><head/><body><h2>This part of the `
                + `book cannot be shown</h2><p>${escapeXML(error.message)}</p></body></html>`
        }
        return this.#blob(text, XHTML, blobs)
    }

    // The canonical text of a document, or a sentence about why there is none as the message of an error.
    async text(address) {
        const response = await fetch(address).catch(() => {
            throw new Error('The server cannot be reached. Check the connection, then turn the page back and forth.')
        })
        if (!response.ok) throw new Error((await detailOf(response)) ?? `The server answered ${response.status}.`)
        return response.text()
    }

    #blob(data, type, blobs) {
        const url = URL.createObjectURL(new Blob([data], { type }))
        blobs.push(url)
        return url
    }

    async #swap(text, blobs, parents) {
        const addresses = [...new Set(text.match(ENTRY))]
        const urls = new Map(await Promise.all(addresses.map(async address =>
            [address, await this.#resource(address, blobs, parents)])))
        return text.replace(ENTRY, address => urls.get(address))
    }

    // A style sheet may load others; `parents` stops circles.
    async #resource(address, blobs, parents) {
        if (parents.includes(address)) return 'about:invalid'
        try {
            const response = await fetch(address)
            if (!response.ok) return 'about:invalid'
            const type = response.headers.get('Content-Type').split(';')[0]
            if (type !== 'text/css') return this.#blob(await response.blob(), type, blobs)
            const detail = { data: await this.#swap(await response.text(), blobs, [...parents, address]), type }
            this.transformTarget.dispatchEvent(new CustomEvent('data', { detail }))
            return this.#blob(await detail.data, type, blobs)
        } catch {
            return 'about:invalid'
        }
    }

    // -- what foliate asks

    isExternal(href) {
        return EXTERNAL.test(href)
    }

    splitTOCHref(href) {
        return href ? split(href) : [null, null]
    }

    getTOCFragment(doc, id) {
        return id ? elementOf(doc, id) : null
    }

    resolveHref(href) {
        const [path, fragment] = split(href)
        const index = this.sections.findIndex(section => section.id === path)
        return index < 0 ? null : { index, anchor: doc => (fragment && elementOf(doc, fragment)) || 0 }
    }

    // By the step alone: ids of the spine are optional, and the same document may stand in it twice.
    resolveCFI(cfi) {
        const parts = CFI.parse(cfi)
        const index = this.#indexes.get(stepOf((parts.parent ?? parts).shift())) ?? -1
        const anchor = doc => CFI.toRange(
            { documentElement: rootOf(doc), createRange: () => doc.createRange() }, parts)
        return index < 0 ? null : { index, anchor }
    }

    // -- shares of the text

    // Share of the book before a share of a section.
    fractionAt(index, share) {
        let before = 0
        for (const section of this.sections.slice(0, index)) before += section.size
        return this.total ? (before + share * this.sections[index].size) / this.total : 0
    }

    // The reverse: a section and the share of it.
    sectionAt(fraction) {
        let rest = fraction * this.total
        for (const [index, { size }] of this.sections.entries()) {
            if (size && rest < size) return { index, share: rest / size }
            rest -= size
        }
        return { index: Math.max(0, this.sections.findLastIndex(section => section.size)), share: 1 }
    }

    get start() {
        return Math.max(0, this.sections.findIndex(section => section.linear !== 'no'))
    }
}

export const detailOf = async response => {
    try {
        return (await response.json()).detail
    } catch {
        return null
    }
}
