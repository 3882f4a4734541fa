// The reader's page: puts the parts together.
import { setUpAppearance } from './appearance.js'
import { Book } from './book.js'
import { setUpContents } from './contents.js'
import { setUpControls } from './controls.js'
import { Elsewhere } from './elsewhere.js'
import { Keeper } from './keeper.js'
import { setUpLinks } from './links.js'
import { setUpMarking } from './marking.js'
import { notice } from './notice.js'
import { Reader } from './reader.js'
import { ReadingTime } from './reading_time.js'
import { restore } from './restore.js'
import { Refused, Server } from './server.js'

const page = document.getElementById('page')
const opening = document.getElementById('opening')
const patience = ms => new Promise(resolve => setTimeout(resolve, ms))

const showProgress = (reader, contents) => {
    const item = reader.view.lastLocation?.tocItem
    const percent = Math.floor((reader.atEnd ? 1 : reader.fraction) * 100)
    document.getElementById('chapter').textContent = item?.label ?? ''
    document.getElementById('percent').textContent = `${percent} %`
    const line = document.getElementById('line')
    line.setAttribute('aria-valuenow', percent)
    line.firstElementChild.style.width = `${percent}%`
    contents.mark(item)
    // For tests, and for whoever looks: the first word that shows.
    page.dataset.place = reader.place?.cfi ?? ''
}

const showSaving = ({ state, error, saved }) => {
    const said = { waiting: '', saved: '', unsent: 'Not saved yet', refused: 'Not saved' }
    document.getElementById('saving').textContent = said[state]
    if (saved?.outcome === 'rejected') notice('The server could not find this place in the book, so it was not saved.')
    if (state !== 'refused') return
    if (error.status === 401) notice('You are signed out, so your place is not saved.', [['Sign in', () => location.reload()]])
    else notice(`Your place could not be saved: ${error.message}`)
}

const open = async () => {
    const appearance = setUpAppearance()
    const server = new Server(page.dataset.book)
    const manifest = await server.manifest()
    const keeper = new Keeper(server, manifest.sha256, page.dataset.device)
    await Promise.race([keeper.resend(), patience(3000)])
    const where = await server.progress()
    keeper.version = where.version

    const book = new Book(manifest)
    const reader = new Reader(book)
    await reader.attach(page)
    const { view } = reader
    const elsewhere = new Elsewhere(server, reader, keeper)

    const jump = async target => {
        const before = reader.place?.cfi
        await reader.jump(typeof target === 'string' ? book.resolveHref(target) : target)
        if (before && before !== reader.place?.cfi)
            notice('You went to another place.', [['Go back', () => jump(book.resolveCFI(before))]], 12)
    }
    const contents = setUpContents(book, href => book.resolveHref(href) ? jump(href)
        : notice('This line of the contents leads to something that is not in the book.'))
    setUpLinks(view, jump)
    const turn = forwards => (controls.quiet(), reader.turn(forwards))
    const turnTo = side => (controls.quiet(), reader.turnTo(side))
    const marking = setUpMarking({
        view, server, sha256: manifest.sha256, device: page.dataset.device, jump,
        page: () => ({ cfi: reader.place?.cfi, index: reader.index, range: view.lastLocation?.range }),
    })
    const controls = setUpControls({
        left: () => turnTo('left'), right: () => turnTo('right'), next: () => turn(true), previous: () => turn(false),
        contents: contents.open, appearance: appearance.open, step: appearance.step,
        marks: marking.open, bookmark: marking.bookmark, bar: marking.menu,
    })
    const time = new ReadingTime(server, page.dataset.device, () => reader.fraction)
    time.watch(document)
    view.addEventListener('load', ({ detail: { doc } }) => {
        controls.attach(doc)
        time.watch(doc)
    })
    reader.addEventListener('page', () => {
        showProgress(reader, contents)
        marking.shown()
    })
    appearance.attach(view)

    const problem = await restore(reader, where)
    opening.remove()
    if (problem) notice(problem)
    marking.refresh()

    reader.addEventListener('moved', ({ detail: { cfi, act, finished } }) => {
        keeper.keep(cfi, act, finished)
        time.act()
        marking.turned()
    })
    keeper.addEventListener('change', ({ detail }) => {
        showSaving(detail)
        if (detail.state === 'saved' && detail.saved.version > keeper.version) elsewhere.look(detail.moved)
    })
    const leave = () => {
        keeper.flush()
        marking.flush()
        time.pause()
    }
    document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'hidden') leave()
        else {
            time.resume()
            elsewhere.look()
            marking.refresh()
        }
    })
    addEventListener('pagehide', leave)
    addEventListener('pageshow', event => {
        if (!event.persisted) return
        elsewhere.look()
        marking.refresh()
    })
    page.dataset.state = 'ready'
}

open().catch(error => {
    opening.textContent = error instanceof Refused ? error.message
        : `The book cannot be opened: ${error.message} Check the connection and load the page again.`
    opening.className = 'problem'
    page.dataset.state = 'failed'
})
