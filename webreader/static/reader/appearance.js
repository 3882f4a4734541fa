// Size of the text and theme, remembered by this browser.
import { store, stored } from './storage.js'

const KEY = 'bookwake-appearance'
const SIZES = [70, 80, 90, 100, 110, 125, 140, 160, 180, 210, 250] // per cent of 18 px
const THEMES = {
    light: { scheme: 'light', mark: '#ffe08a' },
    sepia: { scheme: 'light', page: '#f4ecd8', ink: '#4b3a27', link: '#8a4b16', mark: '#e9c46a' },
    dark: { scheme: 'dark', page: '#15171a', ink: '#c9c6c0', link: '#8fb4dd', mark: '#5a4a1c' },
    eink: { scheme: 'light', page: '#ffffff', ink: '#000000', link: '#000000', mark: '#cccccc' },
}
const dialog = document.getElementById('appearance')
const prefersDark = matchMedia('(prefers-color-scheme: dark)')

const chosen = { size: 100, theme: null, ...stored(KEY) }
if (!SIZES.includes(chosen.size)) chosen.size = 100
if (!(chosen.theme in THEMES)) chosen.theme = null

const theme = () => chosen.theme ?? (prefersDark.matches ? 'dark' : 'light')

// Two sheets for the book: before its own, which may overrule it, and after.
const sheets = () => {
    const { scheme, page, ink, link, mark } = THEMES[theme()]
    const before = `
        html { font-family: "Iowan Old Style", Charter, "Palatino Linotype", Palatino, "Noto Serif", Georgia, serif; line-height: 1.55 }
        p, li, blockquote, dd { hyphens: auto; widows: 2; orphans: 2 }
        a:any-link { color: #1f5b99 }`
    const colours = page ? `
        html { --theme-bg-color: ${page}; color: ${ink} !important; background: ${page} !important }
        body, body *:not(svg, svg *) { color: inherit !important; background-color: transparent !important; border-color: currentColor !important }
        a:any-link, a:any-link * { color: ${link} !important }` : `
        html { --theme-bg-color: #fdfdfc; color: #1b1b1b; background: #fdfdfc }`
    const after = `
        html { font-size: ${chosen.size * 0.18}px !important; color-scheme: ${scheme} }
        body { font-size: 1rem !important }
        pre { white-space: pre-wrap !important }
        ::highlight(bookwake-here) { background-color: ${mark}; color: inherit }
        ${colours}
        ${theme() === 'dark' ? 'img { filter: brightness(.88) }' : ''}
        ${theme() === 'eink' ? '*, ::before, ::after { animation: none !important; transition: none !important }' : ''}`
    return [before, after]
}

export const setUpAppearance = () => {
    let renderer = null
    const size = document.getElementById('size')
    const radios = [...dialog.querySelectorAll('[name=theme]')]
    const apply = () => {
        document.documentElement.dataset.theme = theme()
        size.textContent = `${chosen.size} %`
        for (const radio of radios) radio.checked = radio.value === theme()
        renderer?.setStyles?.(sheets())
    }
    const change = values => {
        Object.assign(chosen, values)
        store(KEY, chosen)
        apply()
    }
    const step = by => {
        const at = SIZES.indexOf(chosen.size) + by
        if (SIZES[at]) change({ size: SIZES[at] })
    }
    document.getElementById('open-appearance').addEventListener('click', () => dialog.showModal())
    document.getElementById('smaller').addEventListener('click', () => step(-1))
    document.getElementById('larger').addEventListener('click', () => step(1))
    for (const radio of radios) radio.addEventListener('change', () => change({ theme: radio.value }))
    prefersDark.addEventListener('change', apply)
    apply()
    return {
        step,
        open: () => dialog.showModal(),
        // `setStyles` reaches only documents that have a head; a document without one may not be given one, because
        // that would number its body differently.
        attach(view) {
            renderer = view.renderer
            view.addEventListener('load', ({ detail: { doc } }) => {
                if (doc.head) return
                const sheet = new doc.defaultView.CSSStyleSheet()
                sheet.replaceSync(sheets().join('\n'))
                doc.adoptedStyleSheets = [sheet]
            })
            apply()
        },
    }
}
