// The table of contents: a list in a dialog, the line of the present chapter marked.
const dialog = document.getElementById('contents')
const nav = dialog.querySelector('nav')
const lines = new Map()

const list = (items, go) => {
    const ol = document.createElement('ol')
    for (const item of items) {
        const li = document.createElement('li')
        const line = document.createElement(item.href ? 'button' : 'span')
        line.textContent = item.label || 'Untitled'
        if (item.href) {
            line.type = 'button'
            line.addEventListener('click', () => {
                dialog.close()
                go(item.href)
            })
        }
        lines.set(item, line)
        li.append(line)
        if (item.subitems?.length) li.append(list(item.subitems, go))
        ol.append(li)
    }
    return ol
}

// The chapter that each section belongs to: the last line of the contents that leads to it or to one before.
export const chapters = book => {
    const labels = Array(book.sections.length).fill('')
    const walk = items => items.forEach(item => {
        const index = item.href ? book.resolveHref(item.href)?.index : undefined
        if (index !== undefined) labels[index] ||= item.label ?? ''
        walk(item.subitems ?? [])
    })
    walk(book.toc)
    let label = ''
    return labels.map(own => label = own || label)
}

export const setUpContents = (book, go) => {
    const button = document.getElementById('open-contents')
    // A book without a table of contents still has documents.
    const items = book.toc.length ? book.toc : book.sections.filter(section => section.linear !== 'no')
        .map((section, index) => ({ label: `Part ${index + 1}`, href: `/${encodeURI(section.id)}` }))
    nav.replaceChildren(list(items, go))
    let current = null
    const open = () => {
        dialog.showModal()
        const line = lines.get(current)
        line?.scrollIntoView({ block: 'center' })
        line?.focus()
    }
    button.addEventListener('click', open)
    return {
        open,
        mark(item) {
            lines.get(current)?.removeAttribute('aria-current')
            current = item
            lines.get(item)?.setAttribute('aria-current', 'location')
        },
    }
}
