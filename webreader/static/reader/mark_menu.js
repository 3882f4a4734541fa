// The bar of what can be done with selected words or with a highlight, and the window in which a note is written.
import { notice } from './notice.js'

const NARROW = 560 // px of width up to which the bar lies at the bottom
const GAP = 10 // px between the words and the bar

const bar = document.getElementById('mark-bar')
const colours = [...bar.querySelectorAll('[data-colour]')]
const underline = document.getElementById('mark-underline')
const remove = document.getElementById('mark-delete')
const dialog = document.getElementById('mark-note')
const area = dialog.querySelector('textarea')

const copy = async text => {
    try {
        await navigator.clipboard.writeText(text)
    } catch { // only pages on HTTPS have a clipboard
        const box = document.createElement('textarea')
        box.value = text
        document.body.append(box)
        box.select()
        const isDone = document.execCommand('copy')
        box.remove()
        if (!isDone) return notice('This browser does not let the reader copy. Use its own menu.')
    }
    notice('Copied.', [], 3)
}

const paragraphs = text => text.split('\n').map(line => {
    const p = document.createElement('p')
    p.textContent = line
    return p
})

export class MarkMenu {
    #target = null // what the bar is about: { mark }, or { range, text, chapter } of a selection
    #writing = null
    #given = '' // what the person was given to write on
    #colour = colours[0].dataset.colour

    // `acts`: create(words, fields), change(mark, fields), remove(mark), done(), about(mark): what the bar is open for.
    constructor(acts) {
        this.acts = acts
        for (const button of colours) button.addEventListener('click', () => this.#paint(button.dataset.colour))
        underline.addEventListener('click', () => this.#style())
        document.getElementById('mark-write').addEventListener('click', () => this.#close(target => this.write(target)))
        document.getElementById('mark-copy').addEventListener('click', () => this.#close(target =>
            copy(target.mark?.text ?? target.text)))
        remove.addEventListener('click', () => this.#close(({ mark }) => acts.remove(mark)))
        // The selection in the frame stays.
        bar.addEventListener('mousedown', event => event.preventDefault())
        bar.addEventListener('keydown', event => this.#onKey(event))
        dialog.addEventListener('close', () => {
            if (dialog.returnValue !== 'cancel') this.#save()
            this.acts.written()
        })
        dialog.addEventListener('cancel', () => dialog.returnValue = '')
        addEventListener('pagehide', () => dialog.open && this.#save())
    }

    get isOpen() {
        return !bar.hidden
    }

    // Whether it is about a selection, and not about a highlight.
    get isForWords() {
        return this.isOpen && !this.#target.mark
    }

    // `rect`: of the words, in the window. `target`: { mark }, or { range, text, chapter } of a selection.
    open(target, rect) {
        this.#target = target
        const { mark } = target
        for (const button of colours)
            button.setAttribute('aria-pressed', String(mark?.colour === button.dataset.colour && mark.style !== 'underline'))
        underline.setAttribute('aria-pressed', String(mark?.style === 'underline'))
        remove.hidden = !mark
        bar.setAttribute('aria-label', mark ? 'This highlight' : 'Selected text')
        bar.hidden = false
        this.#put(rect)
        this.acts.about(mark)
    }

    close() {
        bar.hidden = true
        this.#target = null
        this.acts.about(undefined)
    }

    // Put it away by keyboard.
    leave() {
        this.close()
        this.acts.done(true)
    }

    focus() {
        bar.querySelector('button:not([hidden])').focus()
    }

    // Ask for the note of a highlight, or of words that are not highlighted yet.
    write(target) {
        const { mark } = target
        this.#writing = target
        const others = mark?.other_notes ?? []
        dialog.querySelector('.quote').replaceChildren(...paragraphs(mark?.text ?? target.text ?? ''))
        const both = dialog.querySelector('.both')
        both.hidden = !others.length
        both.querySelector('ul').replaceChildren(...[mark?.note ?? '', ...others].map(note => {
            const li = document.createElement('li')
            li.append(...paragraphs(note))
            return li
        }))
        area.value = [mark?.note ?? '', ...others].filter(note => note).join('\n\n')
        this.#given = area.value
        dialog.returnValue = ''
        dialog.showModal()
        area.focus()
    }

    #save() {
        const target = this.#writing
        this.#writing = null
        if (!target) return
        const note = area.value.trim()
        const { mark } = target
        if (!mark) {
            if (note) this.acts.create(target, { note, colour: this.#colour })
        } else if (mark.other_notes?.length) {
            // Who only looked has decided nothing.
            if (dialog.returnValue === 'save' || area.value !== this.#given) this.acts.change(mark, { note, merges_notes: true })
        } else if (note !== mark.note) this.acts.change(mark, { note })
    }

    #paint(colour) {
        this.#colour = colour
        this.#close(target => {
            const { mark } = target
            if (!mark) this.acts.create(target, { colour })
            else {
                if (mark.colour !== colour) this.acts.change(mark, { colour })
                if (mark.style === 'underline') this.acts.change(mark, { style: 'highlight' })
            }
        })
    }

    #style() {
        this.#close(target => {
            const { mark } = target
            if (!mark) this.acts.create(target, { colour: this.#colour, style: 'underline' })
            else this.acts.change(mark, { style: mark.style === 'underline' ? 'highlight' : 'underline' })
        })
    }

    #close(act) {
        const target = this.#target
        const hadFocus = bar.contains(document.activeElement)
        this.close()
        if (!target) return
        act(target)
        this.acts.done(hadFocus)
    }

    #onKey(event) {
        event.stopPropagation()
        const buttons = [...bar.querySelectorAll('button:not([hidden])')]
        const at = buttons.indexOf(document.activeElement)
        const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key]
        if (to !== undefined) buttons.at(to % buttons.length).focus()
        else if (event.key === 'Escape') this.leave()
        else return
        event.preventDefault()
    }

    #put(rect) {
        Object.assign(bar.style, { left: '', top: '' })
        bar.classList.remove('above')
        bar.classList.toggle('docked', innerWidth <= NARROW)
        const { width, height, top: docked } = bar.getBoundingClientRect()
        // Never over the words themselves.
        bar.classList.toggle('above', innerWidth <= NARROW && rect.bottom > docked - GAP && rect.top > height + 2 * GAP)
        if (innerWidth <= NARROW) return
        const below = rect.bottom + GAP
        const top = below + height < innerHeight - GAP ? below : Math.max(GAP, rect.top - height - GAP)
        const left = Math.min(Math.max(GAP, (rect.left + rect.right - width) / 2), innerWidth - width - GAP)
        Object.assign(bar.style, { left: `${left}px`, top: `${top}px` })
    }
}
