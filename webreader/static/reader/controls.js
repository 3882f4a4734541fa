// Keys, taps and buttons that turn pages. What they do is given; swipes are the paginator's own.
const EDGE = 0.3 // share of the width at either side that turns the page

const isBusy = target => document.querySelector('dialog[open]') || target?.closest?.('input, textarea, select, audio, video')

// `bar`: of what can be done with words; it opens by itself, and Enter leads into it.
export const setUpControls = ({ left, right, next, previous, contents, appearance, marks, bookmark, bar, step }) => {
    const keys = {
        ArrowLeft: left, ArrowRight: right, PageUp: previous, PageDown: next, ArrowUp: previous, ArrowDown: next,
        Enter: null, h: left, l: right, c: contents, a: appearance, m: marks, b: bookmark,
        '+': () => step(1), '=': () => step(1), '-': () => step(-1),
    }
    const onKey = event => {
        if (event.ctrlKey || event.altKey || event.metaKey || isBusy(event.target)) return
        if (event.shiftKey && event.key.startsWith('Arrow')) return // makes a selection longer
        if (bar.isOpen && (event.key === 'Enter' || event.key === 'Escape')) {
            event.preventDefault()
            return event.key === 'Enter' ? bar.focus() : bar.close()
        }
        const action = event.key === ' ' ? (event.shiftKey ? previous : next) : keys[event.key]
        // Space and Enter press a button that has the focus.
        if (!action || (event.key === ' ' && event.target.closest?.('button, a'))) return
        event.preventDefault()
        if (!event.repeat) action()
    }
    const toggleBars = () => document.body.classList.toggle('quiet')

    const onTap = event => {
        const doc = event.currentTarget
        if (event.defaultPrevented || event.button || event.target.closest?.('a[href], audio, video, summary')) return
        if (!doc.getSelection().isCollapsed) return
        const frame = doc.defaultView.frameElement.getBoundingClientRect()
        const share = (frame.left + event.clientX) / innerWidth
        if (share < EDGE) left()
        else if (share > 1 - EDGE) right()
        else toggleBars()
    }

    addEventListener('keydown', onKey)
    document.getElementById('turn-left').addEventListener('click', left)
    document.getElementById('turn-right').addEventListener('click', right)
    document.getElementById('page').addEventListener('click', event => {
        if (event.target.closest('button')) return
        // The margins around the frame belong to the same zones.
        const share = event.clientX / innerWidth
        if (share < EDGE) left()
        else if (share > 1 - EDGE) right()
    })
    return {
        attach(doc) {
            doc.addEventListener('keydown', onKey)
            doc.addEventListener('click', onTap)
        },
        quiet: () => document.body.classList.add('quiet'),
    }
}
