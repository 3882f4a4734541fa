// Keeps what the reader did until the server has it. Nothing else is ever sent: not opening, not resizing.
import { Refused, operationId } from './server.js'
import { store, stored, unstore } from './storage.js'

const SETTLE = 2000 // ms from the last page turn to the report
const RETRIES = [5_000, 30_000, 120_000] // ms; afterwards only when something happens

export class Keeper extends EventTarget {
    #server
    #settling
    #retry
    #failures = 0
    #sending = null
    #waiting = null // what is not sent yet
    version = 0 // of the place that this reader last knew of

    // `device`: this browser as the server knows it, so that nobody sends what another person left behind.
    constructor(server, sha256, device) {
        super()
        this.#server = server
        this.sha256 = sha256
        this.key = `bookwake-unsent-${device}-${server.bookId}`
        addEventListener('online', () => this.flush())
    }

    // The reader went to a place. `act`: "read" or "jumped"; `finished`: by turning to the last page.
    keep(cfi, act, finished = false) {
        // A choice stays one when a page is turned right after it.
        if (this.#waiting?.act === 'jumped') act = 'jumped'
        this.#waiting = {
            cfi, act, finished, operation_id: operationId(), based_on: this.version,
            claimed_at: this.#server.now().toISOString(), sha256: this.sha256,
        }
        store(this.key, this.#waiting)
        this.#say('waiting')
        clearTimeout(this.#settling)
        this.#settling = setTimeout(() => this.flush(), SETTLE)
    }

    // Send what waits, now. The answer comes as an event.
    async flush() {
        clearTimeout(this.#settling)
        clearTimeout(this.#retry)
        if (!this.#waiting || this.#sending) return this.#sending
        const moved = this.#waiting
        this.#sending = this.#send(moved)
        await this.#sending
        this.#sending = null
        if (this.#waiting && this.#waiting !== moved) return this.flush()
    }

    async #send(moved) {
        try {
            this.#done(moved, await this.#server.move(moved))
        } catch (error) {
            if (error instanceof Refused) {
                this.#forget(moved)
                this.#say('refused', { error })
            } else {
                this.#say('unsent')
                const pause = RETRIES[this.#failures++]
                if (pause) this.#retry = setTimeout(() => this.flush(), pause)
            }
        }
    }

    #done(moved, saved) {
        this.#failures = 0
        this.#forget(moved)
        if (saved.outcome === 'current') this.version = saved.version
        // What was done meanwhile is based on this answer.
        if (this.#waiting && saved.outcome === 'current') this.#waiting.based_on = this.version
        this.#say('saved', { moved, saved })
    }

    // What an earlier visit could not send, for example because the network was away when the page was closed.
    async resend() {
        const moved = stored(this.key)
        if (!moved) return
        try {
            await this.#server.move(moved)
            this.#forget(moved)
        } catch (error) {
            if (error instanceof Refused) this.#forget(moved)
        }
    }

    get unsent() {
        return Boolean(this.#waiting)
    }

    #forget(moved) {
        if (this.#waiting === moved) this.#waiting = null
        if (stored(this.key)?.operation_id === moved.operation_id) unstore(this.key)
    }

    #say(state, detail = {}) {
        this.dispatchEvent(new CustomEvent('change', { detail: { state, ...detail } }))
    }
}
