// The reader's part of the progress API (webreader/api/progress.py).
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
    constructor(bookId) {
        this.bookId = bookId
        this.url = `/api/books/${encodeURIComponent(bookId)}`
    }

    manifest() {
        return this.#ask(`${this.url}/manifest`)
    }

    progress() {
        return this.#ask(`${this.url}/progress`)
    }

    // `keepalive` lets the request outlive the page.
    move(moved, { keepalive = false } = {}) {
        return this.#ask(`${this.url}/progress`, {
            method: 'PUT',
            keepalive,
            headers: { 'Content-Type': 'application/json', 'X-CSRFToken': csrfToken() },
            body: JSON.stringify(moved),
        })
    }

    async #ask(url, options = {}) {
        const response = await fetch(url, options)
        if (response.ok) return response.json()
        const message = (await detailOf(response)) ?? `The server answered ${response.status}.`
        if (response.status < 500 && response.status !== 429) throw new Refused(response.status, message)
        throw new Error(message)
    }
}
