// The button in the bar: puts a bookmark on the page that shows, and takes it off again.
import { CFI } from './foliate.js'
import { notice } from './notice.js'

const button = document.getElementById('bookmark')
const ribbon = document.getElementById('ribbon')

// Whether a place of the book is on the page that shows.
const isShown = ({ book, isFixedLayout }, { index, range }, cfi) => {
    const target = book.resolveCFI(CFI.collapse(cfi))
    if (target?.index !== index) return false
    if (isFixedLayout || !range) return isFixedLayout
    try {
        const { startContainer: node, startOffset: offset } = target.anchor(range.startContainer.ownerDocument)
        // What comes just behind the last word stands on the next page.
        return range.isPointInRange(node, offset) && !(node === range.endContainer && offset === range.endOffset)
    } catch {
        return false // a page that is not the book's
    }
}

// `page`: tells of the page that shows its section's index, its range, and its CFI unless it holds nothing that has one.
// `chapterOf`: the heading of a section.
export const setUpBookmark = ({ view, marks, page, chapterOf }) => {
    const here = () => marks.all.filter(mark => mark.kind === 'bookmark' && !mark.deleted_at && mark.range
        && isShown(view, page(), mark.range))
    const show = () => {
        const isHere = here().length > 0
        button.setAttribute('aria-pressed', String(isHere))
        ribbon.toggleAttribute('hidden', !isHere) // the bar may be away
    }
    const toggle = () => {
        const found = here()
        if (found.length) {
            const undo = found.map(mark => marks.remove(mark))
            return notice('The bookmark was taken off.', [['Undo', () => undo.forEach(each => each())]], 12)
        }
        const { cfi, index } = page()
        if (!cfi) return notice('This page holds nothing that a bookmark could be put on.')
        marks.create({ kind: 'bookmark', range: cfi, text: '', chapter: chapterOf(index) ?? '' })
    }
    button.addEventListener('click', toggle)
    marks.addEventListener('change', show)
    return { toggle, show }
}
