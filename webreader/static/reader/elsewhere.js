// Another reader of the same person went on while this page was open: ask, never jump.
import { notice } from './notice.js'
import { resolve } from './restore.js'

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
        if (where.here || where.cfi === this.reader.place?.cfi) return stay()
        const { fraction } = this.reader
        const direction = where.fraction > fraction ? 'is further on' : 'was last at another place'
        notice(`Your ${where.device} ${direction} (${percent(where.fraction)}).`, [
            ['Go there', () => {
                this.keeper.version = where.version
                const target = resolve(this.reader.book, where.cfi)
                    ?? (({ index, share }) => ({ index, anchor: () => share }))(this.reader.book.sectionAt(where.fraction))
                this.reader.show(target)
            }],
            ['Stay here', stay],
        ])
    }
}
