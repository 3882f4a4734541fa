// The open book: moves through it, knows where it is, and hands on what the reader did.
//
// A page that shows says nothing about reading: restoring a place, resizing, another size of text all show pages. Only
// an act of the reader does, so each act is marked here, and the place is taken when the page it led to has settled.
import './foliate.js'
import { placeOn, pointOut, shown } from './place.js'

export class Reader extends EventTarget {
    #acting = null // the act under way
    #documents = new Map() // weak references by index, because a fixed layout does not say what it shows
    #crossing = false // a swipe left the section; its target is still to come
    #turning = Promise.resolve()
    place = null // of the page that shows
    index = 0
    share = 0 // of the section before the page that shows

    constructor(book) {
        super()
        this.book = book
        this.view = document.createElement('foliate-view')
    }

    async attach(parent) {
        parent.append(this.view)
        await this.view.open(this.book)
        const { renderer } = this.view
        this.view.addEventListener('load', ({ detail: { doc, index } }) => this.#documents.set(index, new WeakRef(doc)))
        renderer.setAttribute('margin', '20px')
        renderer.setAttribute('gap', '7%')
        renderer.setAttribute('max-inline-size', '640px')
        // After the view's own listener, which computes the chapter.
        renderer.addEventListener('relocate', ({ detail }) => this.#onRelocate(detail))
    }

    // Show a place without any act: `target` is `{ index, anchor(doc) }`. Resolves when the page stands. `mark`: point
    // the word out for a moment.
    async show({ index, anchor = () => 0 }, { mark = false } = {}) {
        let found
        await this.view.renderer.goTo({
            index,
            anchor: doc => {
                const target = anchor(doc)
                return found = typeof target === 'number' ? target : shown(doc, target)
            },
        })
        if (mark) pointOut(found)
    }

    // Go to a place that the reader chose.
    jump(target) {
        return this.#act('jumped', () => this.show(target))
    }

    turn(forwards) {
        return this.#act('read', () => forwards ? this.view.next() : this.view.prev())
    }

    turnTo(side) {
        return this.turn((side === 'right') !== (this.book.dir === 'rtl'))
    }

    get fraction() {
        return this.book.fractionAt(this.index, this.share)
    }

    get atEnd() {
        return this.view.renderer.atEnd === true
    }

    // One after the other: the paginator drops what comes while it is busy.
    #act(act, navigate) {
        const before = this.#turning
        return this.#turning = (async () => {
            await before.catch(() => {})
            const from = this.place?.cfi
            this.#acting = act
            try {
                await navigate()
            } finally {
                this.#acting = null
            }
            this.#moved(act, from)
        })()
    }

    #onRelocate({ reason, index, range, fraction }) {
        const from = this.place?.cfi
        this.index = index
        this.share = Number.isFinite(fraction) ? Math.min(Math.max(fraction, 0), 1) : 0
        this.place = placeOn(this.view, { index, range, doc: this.#documents.get(index)?.deref() })
        this.dispatchEvent(new Event('page'))
        if (this.#acting) return
        // Swipes and selections over the edge turn pages by themselves. A mere tap "snaps" too, to the same place.
        const moved = reason === 'snap' || reason === 'page' || reason === 'scroll'
        if (moved && !this.place) this.#crossing = true
        else if (moved || (this.#crossing && reason === 'navigation')) {
            this.#crossing = false
            this.#moved('read', from)
        }
    }

    #moved(act, from) {
        if (this.place && this.place.cfi !== from)
            this.dispatchEvent(new CustomEvent('moved', {
                // The last page may begin well before the end of a short book, so its place alone would not tell.
                detail: { act, cfi: this.place.cfi, finished: act === 'read' && this.atEnd },
            }))
    }
}
