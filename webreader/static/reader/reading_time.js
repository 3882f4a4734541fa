// How long somebody reads: while the page can be seen, as long as there is an act or other input every two minutes.
// Nobody there, nothing sent, and no timer runs. See webreader/api/reading_time.py.
import { Refused, operationId } from './server.js'
import { store, stored, unstore } from './storage.js'

const IDLE = 120_000 // ms after the last input from which on nobody is reading
const EVERY = 60_000 // ms between reports
const LONGEST = 3600 // s of one report
const MOST = 200 // reports kept while the server cannot be reached; the oldest go first
const AT_ONCE = 20 // reports sent together
const INPUT = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove']

const isHidden = () => document.visibilityState === 'hidden'

export class ReadingTime {
    #server
    #fraction
    #from = null // ms; what is read from then on is not reported yet; `null` while nobody reads
    #begun = 0 // fraction of the book at that moment
    #last = 0 // ms; the last input
    #seen = isHidden() ? null : Date.now() // since when the page shows, until the first input
    #timer
    #unsent
    #sending = new Set()

    // `device`: this browser as the server knows it. `fraction`: tells where in the book the page is, 0 to 1.
    constructor(server, device, fraction) {
        this.#server = server
        this.#fraction = fraction
        this.key = `bookwake-time-${device}-${server.bookId}`
        const unsent = stored(this.key)
        this.#unsent = Array.isArray(unsent) ? unsent : []
        addEventListener('online', () => this.#flush())
        this.#flush()
    }

    // Count the input in a document, the page's own or one of the book.
    watch(doc) {
        for (const kind of INPUT) doc.addEventListener(kind, () => this.act(), { passive: true, capture: true })
    }

    // Somebody did something.
    act() {
        if (isHidden()) return
        const now = Date.now()
        if (this.#from !== null && now - this.#last >= IDLE) this.#report()
        if (this.#from === null) {
            // Who opens a book and turns the page after a while has read it meanwhile.
            this.#from = Math.max(this.#seen ?? now, now - IDLE)
            this.#begun = this.#fraction()
            this.#timer = setTimeout(() => this.#report(), EVERY)
        }
        this.#seen = null
        this.#last = now
    }

    // The page cannot be seen any more; it may be gone for good.
    pause() {
        if (this.#from !== null) this.#report(true)
        this.#seen = null
    }

    // It can be seen again.
    resume() {
        this.#seen ??= Date.now()
    }

    // Take down what was read up to now, and go on unless nobody is there any more.
    #report(over = false) {
        clearTimeout(this.#timer)
        const now = Date.now()
        const end = Math.min(now, this.#last + IDLE)
        const seconds = Math.floor((end - this.#from) / 1000)
        const fraction = this.#fraction()
        if (seconds > 0) {
            this.#keep(this.#from, seconds, this.#begun, fraction)
            this.#from += seconds * 1000
            this.#begun = fraction
        }
        if (over || end < now) this.#from = null
        else this.#timer = setTimeout(() => this.#report(), EVERY)
        this.#flush()
    }

    #keep(from, seconds, start_fraction, end_fraction) {
        const ahead = this.#server.now() - Date.now()
        const stretch = {
            started_at: new Date(from + ahead).toISOString(), seconds: Math.min(seconds, LONGEST),
            operation_id: operationId(), start_fraction, end_fraction,
        }
        const before = this.#unsent.at(-1)
        const after = before ? Date.parse(before.started_at) + before.seconds * 1000 : NaN
        // What could not be sent yet goes on in one report, under a new name.
        if (Math.abs(from + ahead - after) < 1000 && !this.#sending.has(before) && before.seconds + seconds <= LONGEST)
            this.#unsent[this.#unsent.length - 1] = {
                ...stretch, started_at: before.started_at, seconds: before.seconds + seconds,
                start_fraction: before.start_fraction,
            }
        else this.#unsent.push(stretch)
        this.#unsent.splice(0, this.#unsent.length - MOST)
        this.#store()
    }

    // Together and not one after the other, because a page that goes away does not wait for answers.
    #flush() {
        for (const stretch of this.#unsent.slice(0, AT_ONCE))
            if (!this.#sending.has(stretch)) this.#send(stretch)
    }

    async #send(stretch) {
        this.#sending.add(stretch)
        try {
            await this.#server.keepTime(stretch)
        } catch (error) {
            // Whoever signs in again sends it then; what is refused for another reason always will be.
            if (!(error instanceof Refused) || error.status === 401) return
        } finally {
            this.#sending.delete(stretch)
        }
        this.#unsent = this.#unsent.filter(each => each !== stretch)
        this.#store()
    }

    #store() {
        if (this.#unsent.length) store(this.key, this.#unsent)
        else unstore(this.key)
    }
}
