// Another reader of the same person went on while this page was open: ask, never jump.
import { notice } from './notice.js'
import { restore } from './restore.js'

const percent = fraction => `${Math.floor(fraction * 100)} %`

export class Elsewhere {
    constructor(server, reader, keeper) {
        Object.assign(this, { server, reader, keeper })
    }

    // Look, when the page is seen again. `refused`: what of ours the server did not take as the current place.
    async look(refused = null) {
        const where = await this.server.progress().catch(() => null)
        if (!where || where.version <= this.keeper.version) return
        const stay = () => {
            this.keeper.version = where.version
            if (refused) this.keeper.keep(refused.cfi, 'jumped')
        }
        if (where.cfi === this.reader.place?.cfi || (where.here && !refused)) {
            this.keeper.version = where.version
            return
        }
        const who = where.here ? 'Another window of this browser' : `Your ${where.device}`
        const direction = where.fraction > this.reader.fraction ? 'is further on' : 'was last at another place'
        notice(`${who} ${direction} (${percent(where.fraction)}).`, [
            ['Go there', () => this.#go(where)],
            ['Stay here', stay],
        ])
    }

    #go(where) {
        // The file of the book was replaced meanwhile: only a fresh start knows the new one.
        if (where.sha256 !== this.keeper.sha256) return location.reload()
        this.keeper.version = where.version
        restore(this.reader, where).then(problem => problem && notice(problem))
    }
}
