// What this browser keeps, as JSON. Where it forbids that, or has no room, things last as long as the page is open.

export const stored = key => {
    try {
        return JSON.parse(localStorage.getItem(key))
    } catch {
        return null
    }
}

export const store = (key, value) => {
    try {
        localStorage.setItem(key, JSON.stringify(value))
    } catch { /* as above */ }
}

export const unstore = key => {
    try {
        localStorage.removeItem(key)
    } catch { /* as above */ }
}

export const storedKeys = () => {
    try {
        return Object.keys(localStorage)
    } catch {
        return []
    }
}
