// The reader's part of the API (webreader/api).
import { detailOf } from './book.js'

// Refused by the server for a reason that trying again does not change.
export class Refused extends Error {
    constructor(status, message) {
        super(message)
        this.status = status
    }
}

const csrfToken = () => document.cookie.split('; ')
    .find(cookie => cookie.startsWith('bookwake-csrf='))?.slice('bookwake-csrf='.length) ?? ''

// 128 random bits. `crypto.randomUUID` is for HTTPS pages only, and homes run on plain HTTP.
export const operationId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)),
    byte => byte.toString(16).padStart(2, '0')).join('')

export class Server {
    #ahead = 0 // ms that the server's clock is ahead of ours

    constructor(bookId) {
        this.bookId = bookId
        this.url = `/api/books/${encodeURIComponent(bookId)}`
    }

    // The time as the server has it, so that a wrong clock here does not make reading look old.
    now() {
        return new Date(Date.now() + (Math.abs(this.#ahead) > 2000 ? this.#ahead : 0))
    }

    manifest() {
        return this.#ask(`${this.url}/manifest`)
    }

    progress() {
        return this.#ask(`${this.url}/progress`)
    }

    move(moved) {
        return this.#put(`${this.url}/progress`, moved)
    }

    keepTime(stretch) {
        return this.#put(`${this.url}/reading-time`, stretch)
    }

    // Annotations that changed after a version, a page at a time.
    marks(sha256, after, until) {
        const query = new URLSearchParams({ sha256, after, ...until === undefined ? {} : { until } })
        return this.#ask(`${this.url}/annotations?${query}`)
    }

    act(sha256, operations) {
        return this.#send('POST', `${this.url}/annotations`, { sha256, operations })
    }

    #put(url, body) {
        return this.#send('PUT', url, body)
    }

    // The request outlives the page, unless it is larger than browsers allow for that.
    #send(method, url, data) {
        const body = JSON.stringify(data)
        return this.#ask(url, {
            method,
            keepalive: body.length < 20_000,
            headers: { 'Content-Type': 'application/json', 'X-CSRFToken': csrfToken() },
            body,
        })
    }

    async #ask(url, options = {}) {
        const response = await fetch(url, options)
        const date = Date.parse(response.headers.get('Date'))
        if (date) this.#ahead = date - Date.now()
        if (response.ok) return response.json()
        const message = (await detailOf(response)) ?? `The server answered ${response.status}.`
        if (response.status < 500 && response.status !== 429) throw new Refused(response.status, message)
        throw new Error(message)
    }
}
