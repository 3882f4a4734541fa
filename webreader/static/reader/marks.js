// The highlights, notes and bookmarks of the open book: what the server told, and on top what was done here since.
import { CFI } from './foliate.js'
import { FIELDS } from './outbox.js'

const PATIENCE = 60_000 // ms between looks while pages are turned

// A UUID. `crypto.randomUUID` is for HTTPS pages only, and homes run on plain HTTP.
const newId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16))
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const applied = (mark, act) => {
    switch (act.do) {
        case 'create': return {
            version: 0, kind: 'highlight', note: '', style: 'highlight', status: 'exact', here: true,
            created_at: act.claimed_at, ...mark, ...act, unsent: true,
        }
        case 'change': return mark && {
            ...mark, ...Object.fromEntries(FIELDS.filter(name => name in act).map(name => [name, act[name]])),
            other_notes: act.merges_notes ? [] : mark.other_notes, unsent: true,
        }
        case 'delete': return mark && { ...mark, deleted_at: act.claimed_at, held_by: undefined, unsent: true }
        case 'keep': return mark && { ...mark, deleted_at: undefined, held_by: undefined, unsent: true }
    }
}

const inOrder = (a, b) => (a.tick ?? null) !== null && (b.tick ?? null) !== null ? a.tick - b.tick
    : a.range && b.range ? CFI.compare(a.range, b.range) : Boolean(b.range) - Boolean(a.range)

export class Marks extends EventTarget {
    #server
    #outbox
    #sha256
    #told = new Map()
    #after = 0
    #asking = Promise.resolve()
    #asked = 0

    constructor(server, outbox, sha256) {
        super()
        this.#server = server
        this.#outbox = outbox
        this.#sha256 = sha256
        outbox.addEventListener('change', () => this.#changed())
        outbox.addEventListener('state', ({ detail: { state } }) => state === 'sent' && this.refresh())
    }

    // All of them in the order of the book, tombstones too.
    get all() {
        const all = new Map(this.#told)
        for (const act of this.#outbox.acts) {
            const mark = applied(all.get(act.id), act)
            if (mark) all.set(act.id, mark)
        }
        return [...all.values()].sort(inOrder)
    }

    find(id) {
        return this.all.find(mark => mark.id === id)
    }

    // What changed since the last look. Fails silently: there will be another.
    refresh() {
        this.#asked = Date.now()
        return this.#asking = this.#asking.then(() => this.#ask()).catch(() => {})
    }

    // At most once a minute, for a reader who turns pages.
    refreshNowAndThen() {
        if (Date.now() - this.#asked >= PATIENCE) this.refresh()
    }

    async #ask() {
        const { done } = this.#outbox
        for (let until, more = true; more;) {
            const page = await this.#server.marks(this.#sha256, this.#after, until)
            for (const mark of page.items) this.#told.set(mark.id, mark)
            this.#after = page.after
            until = page.until
            more = page.more
            if (more) this.#changed()
        }
        this.#outbox.forget(done)
        this.#changed()
    }

    create({ kind = 'highlight', range, text, note = '', colour, style = 'highlight', chapter = '' }) {
        const mark = { id: newId(), kind, range, text, note, colour, style, chapter: chapter.slice(0, 500) }
        this.#outbox.add({ do: 'create', ...mark })
        return mark.id
    }

    // `fields`: note, colour, style, or range and text; and `merges_notes`.
    change(mark, fields) {
        this.#outbox.add({ do: 'change', id: mark.id, ...this.#base(mark), ...fields })
    }

    // Returns what undoes it.
    remove(mark) {
        const { id, kind, range, text, note, colour, style, chapter } = mark
        const isOnlyHere = this.#outbox.isOnlyHere(id)
        this.#outbox.add({ do: 'delete', id, ...this.#base(mark) })
        return isOnlyHere ? () => this.create({ kind, range, text, note, colour, style, chapter }) : () => this.keep({ id })
    }

    // Restores what was deleted, or refuses a deletion that waits.
    keep({ id }) {
        this.#outbox.add({ do: 'keep', id })
    }

    #base(mark) {
        return mark.version ? { base_version: mark.version } : {}
    }

    #changed() {
        this.dispatchEvent(new Event('change'))
    }
}
