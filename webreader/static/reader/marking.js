// Highlights in the reader: what is selected, tapped and chosen becomes acts, and what there is becomes drawings and a list.
import { setUpBookmark } from './bookmark.js'
import { chapters } from './contents.js'
import { DrawnMarks } from './draw_marks.js'
import { CFI } from './foliate.js'
import { MarkEnds, REACH } from './mark_ends.js'
import { MarkList } from './mark_list.js'
import { MarkMenu } from './mark_menu.js'
import { Marks } from './marks.js'
import { notice } from './notice.js'
import { Outbox } from './outbox.js'
import { cfiOf, rectsOf, textOf, tightened } from './words.js'

const SETTLE = 200 // ms after the last change of a selection
const LONGEST = 100_000 // characters of a highlight, as the server takes them

// A rectangle around the lines of some words that can be seen, in the coordinates of the window.
const around = (doc, range) => {
    const frame = doc.defaultView.frameElement.getBoundingClientRect()
    const rects = rectsOf(range).map(({ left, right, top, bottom }) =>
        ({ left: left + frame.left, right: right + frame.left, top: top + frame.top, bottom: bottom + frame.top }))
        .filter(({ left, right, top, bottom }) => right > 0 && left < innerWidth && bottom > 0 && top < innerHeight)
    if (!rects.length) return null
    return {
        left: Math.min(...rects.map(rect => rect.left)), right: Math.max(...rects.map(rect => rect.right)),
        top: Math.min(...rects.map(rect => rect.top)), bottom: Math.max(...rects.map(rect => rect.bottom)),
    }
}

// When the page that was gone to stands still.
const settled = view => new Promise(resolve => {
    const stop = () => resolve(view.removeEventListener('relocate', again))
    const again = () => {
        clearTimeout(timer)
        timer = setTimeout(stop, SETTLE)
    }
    let timer = setTimeout(stop, SETTLE)
    view.addEventListener('relocate', again)
})

// `jump`: to a place of the book, as the reader's choice. `page`: tells of the page that shows (bookmark.js).
export const setUpMarking = ({ view, server, sha256, device, jump, page }) => {
    const { book } = view
    const outbox = new Outbox(server, sha256, device)
    const marks = new Marks(server, outbox, sha256)
    const drawn = new DrawnMarks(view)
    const labels = chapters(book)

    const deselect = () => view.renderer.getContents().forEach(({ doc }) => doc?.getSelection().removeAllRanges())
    const remove = mark => {
        const undo = marks.remove(mark)
        notice('Deleted.', [['Undo', undo]], 12)
    }
    const menu = new MarkMenu({
        create: ({ range, text, chapter }, fields) => marks.create({ range, text, chapter, ...fields }),
        change: (mark, fields) => marks.change(mark, fields),
        remove,
        // `hadFocus`: it was in the bar, and goes back to the page.
        done(hadFocus) {
            deselect()
            if (hadFocus) view.renderer.focusView?.()
        },
        written: () => list.refocus(),
        about: mark => mark ? ends.open(mark, drawn.placeOf(mark.id)) : ends.close(),
    })
    const ends = new MarkEnds(view, {
        move(mark, range, goesOn) {
            const index = view.renderer.getContents().find(({ doc }) => doc === range.startContainer.ownerDocument)?.index
            const text = textOf(range)
            if (text.length > LONGEST) return notice('This is too much text for one highlight. Select less of it.')
            marks.change(mark, { range: cfiOf(book, index, range), text })
            if (goesOn) openAt(marks.find(mark.id), range)
        },
        leave: () => menu.leave(),
    })
    // Below the words there is room for the handles.
    const openAt = (mark, range) => {
        const rect = around(range.startContainer.ownerDocument, range)
        if (rect) menu.open({ mark }, { ...rect, bottom: rect.bottom + REACH })
        else menu.close()
    }
    const list = new MarkList({
        go(mark) {
            list.close()
            jump(book.resolveCFI(CFI.collapse(mark.range)))
        },
        write: mark => menu.write({ mark }),
        hasEnds: mark => drawn.has(mark.id),
        async moveEnds(mark) {
            list.close()
            await jump(book.resolveCFI(CFI.collapse(mark.range)))
            await settled(view)
            const place = drawn.placeOf(mark.id)
            if (!place) return
            openAt(mark, place.range)
            ends.focus()
        },
        keep: mark => marks.keep(mark),
        remove: mark => marks.remove(mark),
        again: () => outbox.again(),
        giveUp: () => outbox.giveUp(),
        look: () => marks.refresh(),
    }, mark => labels[book.resolveCFI(CFI.collapse(mark.range))?.index], view.isFixedLayout)

    const bookmark = setUpBookmark({ view, marks, page, chapterOf: index => labels[index] })

    // The page of the book leads to a highlight by its id.
    let wanted = /^#mark=([\w-]+)$/.exec(location.hash)?.[1]
    const goToWanted = () => {
        const mark = marks.all.find(({ id, range }) => id === wanted && range)
        if (!mark) return
        wanted = undefined
        history.replaceState(null, '', location.pathname + location.search)
        jump(book.resolveCFI(CFI.collapse(mark.range)))
    }

    marks.addEventListener('change', () => {
        drawn.show(marks.all)
        list.show(marks.all, outbox.refused)
        if (wanted) goToWanted()
    })
    outbox.addEventListener('state', ({ detail: { state, error, done } }) => {
        const saving = document.getElementById('marks-saving')
        saving.textContent = outbox.unsent ? 'Highlights not saved yet' : ''
        if (state === 'sent') {
            if (done.some(({ reason }) => reason === 'changed-since'))
                notice('It was changed on another reader meanwhile, so it was not deleted.')
            if (done.some(({ outcome }) => outcome === 'rejected'))
                notice('A highlight that you changed is not in the library any more.')
            if (done.some(({ reason }) => reason === 'two-notes'))
                notice('Another note was written here on another reader. Both are kept; merge them in the list of highlights.')
        } else if (state === 'refused') notice(`A highlight could not be saved: ${error.message}`)
        else if (error.status === 401) {
            notice('You are signed out. What you highlighted is kept in this browser until you sign in again.',
                [['Sign in', () => location.reload()]])
        }
    })

    const onSelection = (doc, index) => {
        if (ends.isMoving) return
        const selection = doc.getSelection()
        const words = selection?.rangeCount && !selection.isCollapsed ? tightened(selection.getRangeAt(0)) : null
        const rect = words && around(doc, words)
        if (!rect) return menu.isForWords && menu.close()
        const text = textOf(words)
        if (text.length > LONGEST) return notice('This is too much text for one highlight. Select less of it.')
        const chapter = view.getProgressOf(index, words).tocItem?.label ?? ''
        menu.open({ range: cfiOf(book, index, words), text, chapter }, rect)
    }

    const attach = (doc, index) => {
        let isDown = false
        let timer
        const look = () => {
            clearTimeout(timer)
            timer = setTimeout(() => !isDown && onSelection(doc, index), SETTLE)
        }
        let wasOpen = false
        doc.addEventListener('selectionchange', look)
        doc.addEventListener('pointerdown', () => {
            isDown = true
            wasOpen = menu.isOpen
            menu.close()
        })
        for (const kind of ['pointerup', 'pointercancel']) doc.addEventListener(kind, () => {
            isDown = false
            look()
        })
        // Before the listener that turns pages: a tap on a highlight, or one that puts the bar away, turns none.
        doc.addEventListener('click', event => {
            if (event.button || event.target.closest?.('a[href]') || !doc.getSelection().isCollapsed) return
            const mark = marks.find(drawn.at(doc, event.clientX, event.clientY))
            if (mark) {
                event.preventDefault()
                openAt(mark, drawn.placeOf(mark.id).range)
            } else if (wasOpen) event.preventDefault()
            wasOpen = false
        }, { capture: true })
    }

    document.addEventListener('pointerdown', event => {
        if (!menu.isOpen || event.target.closest('#mark-bar, .mark-end')) return
        menu.close()
        deselect()
    })
    // Over fixed pages there is nothing to draw on.
    if (!view.isFixedLayout) view.addEventListener('load', ({ detail: { doc, index } }) => attach(doc, index))
    outbox.flush()
    return {
        open: () => list.open(),
        menu,
        bookmark: bookmark.toggle,
        shown: bookmark.show,
        refresh: () => {
            outbox.flush()
            return marks.refresh()
        },
        turned() {
            menu.close()
            marks.refreshNowAndThen()
        },
        flush: () => outbox.flush(),
    }
}
