// Highlights on the page: over the text, never in it, so that the tree in the frame stays the server's.
import { Overlayer } from './foliate.js'
import { rangeIn, rectsOf } from './words.js'

const DRAWN = { highlight: Overlayer.highlight, invert: Overlayer.highlight, underline: Overlayer.underline,
    strikeout: Overlayer.strikethrough, squiggly: Overlayer.squiggly }
const SURE = ['exact', 'snapped', 'recovered'] // others would be drawn over other words
const NOTE = 7 // px, the flag of a note

// Colours come from the style sheet of the reader, so that another theme needs no drawing.
const draw = mark => (rects, { writingMode }) => {
    const style = Object.hasOwn(DRAWN, mark.style) ? mark.style : 'highlight'
    const group = DRAWN[style](rects, { width: 2, writingMode })
    const isLine = !['highlight', 'invert'].includes(style)
    const ink = `color-mix(in srgb, ${mark.colour}, var(--mark-line) var(--mark-line-share))`
    if (style === 'invert') Object.assign(group.style, { fill: '#fff', opacity: 1, mixBlendMode: 'difference' })
    else group.style[style === 'squiggly' ? 'stroke' : 'fill'] = isLine ? ink : `var(--mark-fill, ${mark.colour})`
    group.dataset.mark = mark.id
    if (!mark.note || !rects.length) return group
    const { right, top } = rects.at(-1)
    const flag = document.createElementNS('http://www.w3.org/2000/svg', 'path')
    flag.setAttribute('d', `M${right - NOTE} ${top}h${NOTE}v${NOTE}z`)
    flag.style.fill = ink
    const both = document.createElementNS('http://www.w3.org/2000/svg', 'g')
    both.append(group, flag)
    return both
}

// What would be drawn differently.
const look = ({ range, style, colour, note }) => [range, style, colour, Boolean(note)].join()

export class DrawnMarks {
    #view
    #marks = []
    #drawn = new WeakMap() // by overlay: what is drawn of each, by id

    constructor(view) {
        this.#view = view
        // The view has the new overlay only when this event is over.
        view.addEventListener('create-overlay', () => queueMicrotask(() => this.#draw()))
    }

    // `marks`: all that there are.
    show(marks) {
        this.#marks = marks.filter(mark => mark.kind === 'highlight' && mark.range && !mark.deleted_at
            && SURE.includes(mark.status))
        this.#draw()
    }

    // Whether a highlight is drawn where it is shown.
    has(id) {
        return this.#marks.some(mark => mark.id === id)
    }

    // The id of the highlight at a point of the frame, if there is one.
    at(doc, x, y) {
        const page = this.#view.renderer.getContents().find(page => page.doc === doc)
        return page?.overlayer?.hitTest({ x, y })[0] ?? null
    }

    // Where a highlight is drawn in the frame; `null` when it is not.
    placeOf(id) {
        for (const { doc, overlayer } of this.#view.renderer.getContents()) {
            const drawn = overlayer && this.#drawn.get(overlayer)?.get(id)
            if (drawn) return { doc, range: drawn.range }
        }
        return null
    }

    #draw() {
        for (const { doc, index, overlayer } of this.#view.renderer.getContents()) {
            if (!overlayer || !doc) continue
            if (!this.#drawn.has(overlayer)) this.#drawn.set(overlayer, new Map())
            const drawn = this.#drawn.get(overlayer)
            const { writingMode } = doc.defaultView.getComputedStyle(doc.body)
            const wanted = new Map(this.#marks.map(mark => [mark.id, mark]))
            for (const [id, { as }] of drawn) {
                if (wanted.has(id) && as === look(wanted.get(id))) continue
                overlayer.remove(id)
                drawn.delete(id)
            }
            for (const mark of this.#marks) {
                if (drawn.has(mark.id)) continue
                const range = this.#rangeIn(mark, index, doc)
                if (!range) continue
                // Not the range itself: the overlay would draw boxes of paragraphs, and of nothing but paragraphs.
                overlayer.add(mark.id, { commonAncestorContainer: {}, getClientRects: () => rectsOf(range) },
                    draw(mark), { writingMode })
                drawn.set(mark.id, { as: look(mark), range })
            }
        }
    }

    #rangeIn(mark, index, doc) {
        try {
            return rangeIn(this.#view.book, mark.range, index, doc)
        } catch {
            return null // a page that is not the book's, such as one that explains why it is not shown
        }
    }
}
