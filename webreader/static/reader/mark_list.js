// The window that lists all highlights, notes and bookmarks of the book, and what a person has to decide about them.

// Why a place is not known, in plain words (`positions.Reason`).
const REASONS = {
    'no-document': 'It is in a part that this file of the book does not have.',
    'no-place': 'The place it names is not in this file of the book.',
    'beyond-end': 'The place it names is behind the end of the text.',
    unreadable: 'The file it was made in cannot be read any more.',
    indexing: 'This long chapter is still being prepared. It will appear in a moment.',
    empty: 'The part it is in has no text.',
    'different-text': 'The text is another one in this file of the book.',
    moved: 'The words stand at another place in this file of the book.',
    ambiguous: 'The same words stand in several places.',
    'whole-document': 'Only the chapter is known.',
    fraction: 'Only a percentage is known.',
    'too-large': 'The two files of the book differ too much to be compared.',
    'not-given': 'The reader it was made on did not say where it is.',
}
const UNREADABLE = 'Its place could not be understood.'
const STYLES = { bookmark: 'Bookmark', markup: 'Handwriting' }
const SHOWN = 400 // characters of a highlight

const dialog = document.getElementById('marks')
const content = dialog.querySelector('.content')
const button = document.getElementById('open-marks')

const element = (name, { text, ...properties } = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties)
    if (text !== undefined) made.textContent = text
    made.append(...children)
    return made
}

const press = (text, act, properties = {}) => {
    const made = element('button', { type: 'button', text, ...properties })
    made.addEventListener('click', act)
    return made
}

const clipped = text => text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text

const counted = (count, one, many) => count === 1 ? one : `${count} ${many}`

export class MarkList {
    #at // the key of what was focused last

    // `acts`: go(mark), write(mark), hasEnds(mark), moveEnds(mark), keep(mark), remove(mark), again(), giveUp(), look().
    // `chapterOf`: the heading of a mark that has a place. `isFixed`: the pages of the book are, so that nothing is drawn
    // on them.
    constructor(acts, chapterOf, isFixed) {
        this.nothing = isFixed
            ? 'The pages of this book are fixed pictures of pages. Words on them cannot be highlighted here.'
            : 'Nothing is highlighted yet. Select some words of the book to begin, or bookmark a page.'
        this.acts = acts
        this.chapterOf = chapterOf
        this.marks = []
        this.refused = []
        button.addEventListener('click', () => this.open())
        content.addEventListener('focusin', ({ target }) => this.#at = target.dataset.key)
    }

    open() {
        if (dialog.open) return
        this.#at = undefined
        this.acts.look()
        this.#fill()
        dialog.showModal()
    }

    close() {
        dialog.close()
    }

    // Whoever uses the keyboard stays where they are, though the list was made anew, under another window even.
    refocus() {
        // What is focused may stand in a window that closed just now.
        if (!dialog.open || !this.#at || document.activeElement.closest('dialog[open]')) return
        content.querySelector(`[data-key="${CSS.escape(this.#at)}"]`)?.focus({ preventScroll: true })
    }

    // `refused`: what could not be saved.
    show(marks, refused) {
        this.marks = marks
        this.refused = refused
        const open = marks.filter(mark => !mark.deleted_at)
        const questions = new Set(open.filter(mark => mark.held_by).map(mark => mark.held_by)).size
            + open.filter(mark => !mark.held_by && mark.other_notes?.length).length + (refused.length ? 1 : 0)
        button.dataset.questions = questions || ''
        button.setAttribute('aria-label', questions
            ? `Highlights and notes, ${counted(questions, 'one needs', 'need')} a decision` : 'Highlights and notes')
        if (dialog.open) this.#fill()
    }

    #fill() {
        const living = this.marks.filter(mark => !mark.deleted_at)
        const held = living.filter(mark => mark.held_by)
        const placed = living.filter(mark => mark.range)
        const lost = living.filter(mark => !mark.range)
        const deleted = this.marks.filter(mark => mark.deleted_at)
            .sort((a, b) => Date.parse(b.deleted_at) - Date.parse(a.deleted_at))
        content.replaceChildren(
            ...this.#unsaved(), ...this.#waiting(held),
            ...(living.length ? [] : [element('p', { className: 'empty', text: this.nothing })]),
            this.#list(placed),
            ...(lost.length ? [element('h3', { text: 'Not found in this file of the book' }), this.#list(lost)] : []),
            ...(deleted.length ? [this.#deleted(deleted)] : []))
        this.refocus()
    }

    #unsaved() {
        if (!this.refused.length) return []
        const [{ refused }] = this.refused
        const what = counted(this.refused.length, 'One change was', 'changes were')
        return [element('section', { className: 'question' },
            element('p', { text: `${what} not saved: ${refused}` }),
            element('div', { className: 'choices' },
                press('Try again', () => this.acts.again()), press('Give up', () => this.acts.giveUp())))]
    }

    // Deletions that wait, by the reader that asked for them.
    #waiting(held) {
        return Object.entries(Object.groupBy(held, mark => mark.held_by)).map(([device, marks]) =>
            element('section', { className: 'question' },
                element('p', { text: `${device} asked to delete ${counted(marks.length, 'one highlight', 'highlights')} at once. `
                    + 'Nothing is deleted until you say so.' }),
                element('div', { className: 'choices' },
                    press('Keep all', () => marks.forEach(mark => this.acts.keep(mark))),
                    press('Delete all', () => marks.forEach(mark => this.acts.remove(mark))))))
    }

    #list(marks) {
        const list = element('ul')
        let chapter = ''
        for (const mark of marks) {
            const heading = (mark.range && this.chapterOf(mark)) || mark.chapter
            if (heading && heading !== chapter) list.append(element('li', { className: 'chapter', text: heading }))
            chapter = heading || chapter
            list.append(this.#item(mark))
        }
        return list
    }

    #item(mark) {
        const words = mark.text ? clipped(mark.text) : STYLES[mark.kind] ?? 'A highlight without words'
        const isBookmark = mark.kind === 'bookmark'
        const quote = element('span', { className: `quote ${isBookmark ? '' : mark.style}`, text: words })
        quote.style.setProperty('--colour', (!isBookmark && mark.colour) || 'currentColor')
        const go = mark.range ? press('', () => this.acts.go(mark), { className: 'go' }) : element('div', { className: 'go' })
        go.dataset.key = `go-${mark.id}`
        go.append(quote)
        if (mark.note) go.append(element('span', { className: 'note', text: mark.note }))
        for (const note of mark.other_notes ?? []) go.append(element('span', { className: 'note other', text: note }))
        const about = [isBookmark ? STYLES.bookmark : '', mark.here ? '' : mark.device, mark.created_at && new Date(mark.created_at).toLocaleDateString(),
            mark.unsent ? 'not sent yet' : ''].filter(part => part)
        go.append(element('span', { className: 'about', text: about.join(' · ') }))
        const item = element('li', {}, go)
        const why = !mark.range ? REASONS[mark.reason] ?? UNREADABLE
            : mark.status === 'approximate' ? `Roughly here. ${REASONS[mark.reason] ?? ''}` : ''
        if (why) item.append(element('p', { className: 'why', text: why }))
        if (mark.other_notes?.length)
            item.append(element('p', { className: 'why', text: 'Notes were written in two places at the same time.' }))
        const name = words.slice(0, 60)
        const tools = element('div', { className: 'tools' })
        const tool = (key, text, act) => {
            const made = press(text, act, { ariaLabel: `${text}: ${name}` })
            made.dataset.key = `${key}-${mark.id}`
            tools.append(made)
        }
        if (mark.held_by) {
            tool('keep', 'Keep', () => this.acts.keep(mark))
            tool('delete', 'Delete', () => this.acts.remove(mark))
        } else {
            if (mark.kind !== 'markup')
                tool('write', mark.other_notes?.length ? 'Merge the notes' : mark.note ? 'Edit note' : 'Add note', () => this.acts.write(mark))
            if (this.acts.hasEnds(mark)) tool('ends', 'Move its ends', () => this.acts.moveEnds(mark))
            tool('delete', 'Delete', () => this.acts.remove(mark))
        }
        item.append(tools)
        return item
    }

    #deleted(marks) {
        const list = element('ul', {}, ...marks.map(mark => {
            const restore = press('Restore', () => this.acts.keep(mark), { ariaLabel: `Restore: ${(mark.text || mark.note).slice(0, 60)}` })
            return element('li', {},
                element('div', { className: 'go' },
                    element('span', { className: 'quote', text: clipped(mark.text || STYLES[mark.kind] || 'A highlight without words') }),
                    ...(mark.note ? [element('span', { className: 'note', text: mark.note })] : [])),
                element('div', { className: 'tools' }, restore))
        }))
        const details = element('details', { open: this.isDeletedOpen },
            element('summary', { text: `Deleted (${marks.length})` }), list)
        details.addEventListener('toggle', () => this.isDeletedOpen = details.open)
        return details
    }
}
