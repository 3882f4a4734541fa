// The two handles at the ends of a highlight. Dragged, or moved with the arrow keys, they change which words it covers.
import { CFI } from './foliate.js'
import { rectsOf, tightened } from './words.js'

export const REACH = 26 // px that a handle reaches below the words

const STEPS = {
    ArrowLeft: ['left', 'word'], ArrowRight: ['right', 'word'], ArrowUp: ['backward', 'line'], ArrowDown: ['forward', 'line'],
}
const handles = { start: document.getElementById('mark-start'), end: document.getElementById('mark-stop') }

// A place in the text under a point of the frame.
const caretAt = (doc, x, y) => {
    const at = doc.caretPositionFromPoint?.(x, y)
    if (at) return [at.offsetNode, at.offset]
    const range = doc.caretRangeFromPoint?.(x, y)
    return range ? [range.startContainer, range.startOffset] : null
}

const point = (range, end) => end === 'start'
    ? [range.startContainer, range.startOffset] : [range.endContainer, range.endOffset]

export class MarkEnds {
    #view
    #mark
    #kept = null // the words as they are highlighted
    #range = null // as they would be with the handles where they are now
    #from = null // of the pointer to the end of the words, when it was put down

    // `acts`: move(mark, range, goesOn), leave().
    constructor(view, acts) {
        this.#view = view
        this.acts = acts
        for (const [end, handle] of Object.entries(handles)) {
            handle.addEventListener('pointerdown', event => this.#grasp(event, end))
            handle.addEventListener('pointermove', event => this.#from && this.#drag(event, end))
            for (const kind of ['pointerup', 'pointercancel']) handle.addEventListener(kind, ({ type }) => {
                if (!this.#from) return
                this.#from = null
                if (type === 'pointerup') this.#keep(true)
                else this.#forget()
            })
            handle.addEventListener('keydown', event => this.#onKey(event, end))
            handle.addEventListener('blur', () => !this.#from && this.#keep(true))
        }
    }

    // Whether an end is somewhere else than it was, and not kept yet.
    get isMoving() {
        return Boolean(this.#kept) && this.#range !== this.#kept
    }

    // `place`: where it is drawn. One that goes on in another file of the book has no handles.
    open(mark, place) {
        const { book } = this.#view
        const [first, last] = [false, true].map(end => book.resolveCFI(CFI.collapse(mark.range, end))?.index)
        const words = place && first === last ? tightened(place.range) : null
        if (!words) return this.#hide()
        this.#mark = mark
        this.#kept = this.#range = words
        this.#put()
    }

    focus() {
        Object.values(handles).find(handle => !handle.hidden)?.focus()
    }

    close() {
        this.#keep(false)
        this.#hide()
    }

    get #doc() {
        return this.#kept.startContainer.ownerDocument
    }

    #hide() {
        this.#kept = this.#range = null
        for (const handle of Object.values(handles)) handle.hidden = true
    }

    // Where an end is in the window: `{ x, top, bottom }`.
    #spot(end) {
        const rects = rectsOf(this.#range)
        const rect = end === 'start' ? rects[0] : rects.at(-1)
        if (!rect) return null
        const { left, top } = this.#doc.defaultView.frameElement.getBoundingClientRect()
        const isRtl = this.#doc.defaultView.getComputedStyle(point(this.#range, end)[0].parentElement).direction === 'rtl'
        const x = (end === 'start') === isRtl ? rect.right : rect.left
        return { x: x + left, top: rect.top + top, bottom: rect.bottom + top }
    }

    #put() {
        for (const [end, handle] of Object.entries(handles)) {
            const spot = this.#spot(end)
            const isSeen = spot && spot.x >= 0 && spot.x <= innerWidth && spot.bottom > 0 && spot.bottom < innerHeight
            // Who is moving it does not lose it at the edge of the page.
            handle.hidden = !isSeen && handle !== document.activeElement
            if (isSeen) Object.assign(handle.style, { left: `${spot.x}px`, top: `${spot.bottom}px` })
        }
    }

    #grasp(event, end) {
        const spot = this.#spot(end)
        if (event.button || !spot) return
        event.preventDefault()
        event.currentTarget.focus({ preventScroll: true })
        event.currentTarget.setPointerCapture(event.pointerId)
        this.#from = [event.clientX - spot.x, event.clientY - (spot.top + spot.bottom) / 2]
    }

    #drag(event, end) {
        const { left, top } = this.#doc.defaultView.frameElement.getBoundingClientRect()
        const [dx, dy] = this.#from
        const caret = caretAt(this.#doc, event.clientX - dx - left, event.clientY - dy - top)
        if (caret) this.#move(end, caret)
    }

    #onKey(event, end) {
        event.stopPropagation()
        if (event.key === 'Enter') this.#keep(true)
        else if (event.key === 'Escape') {
            this.#forget()
            this.acts.leave()
        } else if (STEPS[event.key]) {
            const [side, step] = STEPS[event.key]
            const selection = this.#select(end)
            selection.modify('extend', side, event.shiftKey && step === 'word' ? 'character' : step)
            this.#move(end, [selection.focusNode, selection.focusOffset])
        } else return
        event.preventDefault()
    }

    // Put an end there, unless it would pass the other.
    #move(end, [node, offset]) {
        const range = this.#range.cloneRange()
        const other = point(range, end === 'start' ? 'end' : 'start')
        if (end === 'start') range.setStart(node, offset)
        else range.setEnd(node, offset)
        const [kept, at] = point(range, end === 'start' ? 'end' : 'start')
        const words = kept === other[0] && at === other[1] ? tightened(range) : null
        if (words) this.#range = words
        if (this.isMoving) this.#select(end)
        else this.#deselect()
        this.#put()
    }

    // The words as a selection, which shows them and moves as text does.
    #select(end) {
        const selection = this.#doc.getSelection()
        selection.setBaseAndExtent(...point(this.#range, end === 'start' ? 'end' : 'start'), ...point(this.#range, end))
        return selection
    }

    // `goesOn`: the highlight stays open.
    #keep(goesOn) {
        if (!this.isMoving) return
        const [mark, range] = [this.#mark, this.#range]
        this.#forget()
        this.acts.move(mark, range, goesOn)
    }

    #deselect() {
        this.#doc.getSelection().removeAllRanges()
    }

    #forget() {
        if (!this.isMoving) return
        this.#deselect()
        this.#range = this.#kept
        this.#put()
    }
}
