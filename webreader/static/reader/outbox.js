// What the reader did to highlights, until the server has it: kept in this browser, each act by itself, so that two
// windows on one book do not lose each other's.
import { Refused, operationId } from './server.js'
import { store, stored, storedKeys, unstore } from './storage.js'

const RETRIES = [5_000, 30_000, 120_000] // ms; afterwards only when something happens
const AT_ONCE = 20 // acts of one request
const MOST_TEXT = 400_000 // characters of one request
const REMEMBERED = 50 // acts

// What a change may be of.
export const FIELDS = ['range', 'text', 'note', 'colour', 'style']
const fieldsOf = act => FIELDS.filter(name => name in act)

export class Outbox extends EventTarget {
    #server
    #sha256
    #prefix
    #suffix
    #acts // oldest first: { act, made, tried, refused, done }; `done`: the server's answer
    #past = [] // acts that were forgotten last: an open bar may be about a highlight as it was before them
    #sending = null
    #retry
    #failures = 0
    #atOnce = AT_ONCE

    // `device`: this browser as the server knows it, so that nobody sends what another person left behind.
    constructor(server, sha256, device) {
        super()
        this.#server = server
        this.#sha256 = sha256
        this.#prefix = `bookwake-unsent-mark-${device}-`
        this.#suffix = `-${server.bookId}`
        this.#acts = storedKeys()
            .filter(key => key.startsWith(this.#prefix) && key.endsWith(this.#suffix))
            .map(stored)
            .filter(one => one?.act?.operation_id)
            .sort((a, b) => a.made - b.made)
        addEventListener('online', () => this.flush())
    }

    // Acts that are not yet seen in what the server tells, oldest first.
    get acts() {
        return this.#acts.map(({ act }) => act)
    }

    // What the server does not want, with its reason.
    get refused() {
        return this.#acts.filter(one => one.refused)
    }

    get unsent() {
        return this.#acts.some(one => !one.done)
    }

    // An act to be sent: `do`, `id` and its fields. What was never tried to be sent is changed in place.
    add(act) {
        const waiting = this.#acts.filter(one => one.act.id === act.id && !one.tried)
        const made = waiting.find(one => one.act.do === 'create')
        if (act.do === 'change' && made) {
            for (const name of fieldsOf(act)) made.act[name] = act[name]
            this.#store(made)
            return this.#changed()
        }
        if (act.do === 'delete') {
            for (const one of waiting) this.#drop(one)
            if (made) return this.#changed()
        }
        const undone = act.do === 'keep' && waiting.find(one => one.act.do === 'delete')
        if (undone) {
            this.#drop(undone)
            return this.#changed()
        }
        if (act.do === 'change') {
            const same = waiting.find(one => one.act.do === 'change' && `${fieldsOf(one.act)}` === `${fieldsOf(act)}`)
            if (same) {
                act = { ...act, base_version: same.act.base_version, merges_notes: act.merges_notes || same.act.merges_notes }
                this.#drop(same)
            }
        }
        const one = { act: { ...act, operation_id: operationId() }, made: Date.now() + this.#acts.length / 1000 }
        if (act.do !== 'keep') one.act.claimed_at = this.#server.now().toISOString()
        for (const before of this.#past) if (before.act.id === act.id && before.act.base_version === one.act.base_version)
            this.#follow(one, before)
        for (const before of this.#acts) if (before.done && before.act.id === act.id) this.#follow(one, before)
        this.#acts.push(one)
        this.#store(one)
        this.#changed()
        this.flush()
    }

    // Whether a highlight was made here and never sent.
    isOnlyHere(id) {
        return this.#acts.some(one => one.act.id === id && one.act.do === 'create' && !one.tried)
    }

    // What the server has. Once it has told of it, it need not be remembered: `forget`.
    get done() {
        return this.#acts.filter(one => one.done)
    }

    forget(done) {
        this.#past = [...this.#past, ...done].slice(-REMEMBERED)
        this.#acts = this.#acts.filter(one => !done.includes(one))
    }

    // Try again what was refused, or give it up.
    again() {
        for (const one of this.refused) one.refused = null
        this.flush()
    }

    giveUp() {
        for (const one of this.refused) this.#drop(one)
        this.#changed()
    }

    flush() {
        clearTimeout(this.#retry)
        return this.#sending ??= this.#flush().finally(() => this.#sending = null)
    }

    async #flush() {
        await null
        for (;;) {
            const batch = []
            let room = MOST_TEXT
            for (const one of this.#acts) {
                if (one.done || one.refused) continue
                room -= JSON.stringify(one.act).length
                if (batch.length && (room < 0 || batch.length >= this.#atOnce)) break
                // It goes on from what becomes of the first.
                if (batch.some(({ act }) => act.id === one.act.id)) break
                batch.push(one)
            }
            if (!batch.length || !await this.#send(batch)) return
        }
    }

    // Whether to go on with the next.
    async #send(batch) {
        for (const one of batch) {
            one.tried = true
            this.#store(one)
        }
        try {
            const { done } = await this.#server.act(this.#sha256, batch.map(({ act }) => act))
            this.#failures = 0
            batch.forEach((one, at) => this.#done(one, done[at]))
            this.#say('sent', { done })
            return true
        } catch (error) {
            if (error instanceof Refused && error.status !== 401) {
                // One of several may be at fault: find out which.
                if (batch.length > 1) this.#atOnce = 1
                else {
                    batch[0].refused = error.message
                    this.#say('refused', { error })
                    this.#changed()
                }
                return true
            }
            this.#say('unsent', { error })
            const pause = error instanceof Refused ? 0 : RETRIES[this.#failures++]
            if (pause) this.#retry = setTimeout(() => this.flush(), pause)
            return false
        }
    }

    #done(one, answer) {
        one.done = answer
        unstore(this.#key(one))
        for (const later of this.#acts) if (!later.done && later.act.id === one.act.id) {
            this.#follow(later, one)
            this.#store(later)
        }
    }

    // What is done on top of an act has seen its outcome, and not anything else that happened meanwhile.
    #follow(later, { act, done }) {
        // The same words were highlighted before, under this name.
        later.act.id = done.id
        const own = fieldsOf(act)
        const isOnTop = act.do !== 'change' || later.act.do !== 'change' || fieldsOf(later.act).every(name => own.includes(name))
        // Where it met what somebody else had made or written, that was never seen here.
        const isOwn = ['created', 'changed'].includes(done.reason)
        if (isOnTop && isOwn && done.version && later.act.do !== 'keep') later.act.base_version = done.version
    }

    #drop(one) {
        this.#acts = this.#acts.filter(each => each !== one)
        unstore(this.#key(one))
    }

    #changed() {
        this.dispatchEvent(new Event('change'))
    }

    #say(state, detail) {
        this.dispatchEvent(new CustomEvent('state', { detail: { state, ...detail } }))
    }

    #key(one) {
        return this.#prefix + one.act.operation_id + this.#suffix
    }

    #store(one) {
        store(this.#key(one), { act: one.act, made: one.made, tried: one.tried })
    }
}
