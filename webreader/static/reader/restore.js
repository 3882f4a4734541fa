// Open at the place the server knows. Opening never moves anything, and always ends on a page.

const percent = fraction => `${Math.floor(fraction * 100)} %`

const resolve = (book, cfi) => {
    try {
        return cfi ? book.resolveCFI(cfi) : null
    } catch {
        return null
    }
}

// Shows the place and returns a sentence when it is not exactly the one that was meant, else `null`.
export const restore = async (reader, where) => {
    const { book } = reader
    if (!where.version) {
        await reader.show({ index: book.start })
        return null
    }
    let problem = where.status === 'approximate' && where.fraction > 0
        ? `${where.here ? 'Your place' : `Your place from ${where.device}`} is known only roughly (${percent(where.fraction)}); it may be a page or two off.`
        : null
    const roughly = () => {
        const { index, share } = book.sectionAt(where.fraction)
        problem = where.fraction > 0
            ? `The exact place was not found in this file. This is about where you were (${percent(where.fraction)}).`
            : 'The place where you stopped was not found in this file. This is the beginning of the book.'
        return { index, share }
    }
    const target = resolve(book, where.cfi)
    if (!target) {
        const { index, share } = roughly()
        await reader.show({ index, anchor: () => share })
        return problem
    }
    await reader.show({
        index: target.index,
        anchor: doc => {
            try {
                return target.anchor(doc)
            } catch {
                // The document is right and the path in it is not: as far in as the fraction says, else its start.
                const { index, share } = roughly()
                if (index === target.index) return share
                problem = 'The exact place was not found in this file. This is the beginning of the chapter you were in.'
                return 0
            }
        },
    }, { mark: !where.here && where.status !== 'approximate' })
    return problem
}
