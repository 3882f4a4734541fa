// One line to the reader at the bottom of the page, with choices if there are any.
const section = document.getElementById('notice')
const text = section.querySelector('p')
const choices = section.querySelector('.choices')
let timer

export const hideNotice = () => {
    clearTimeout(timer)
    section.hidden = true
}

// `offers`: [label, action] pairs. Without any, or with `seconds`, the notice goes away by itself.
export const notice = (message, offers = [], seconds = offers.length ? 0 : 8) => {
    hideNotice()
    text.textContent = message
    choices.replaceChildren(...offers.map(([label, action]) => {
        const button = document.createElement('button')
        button.type = 'button'
        button.textContent = label
        button.addEventListener('click', () => {
            hideNotice()
            action?.()
        })
        return button
    }))
    section.hidden = false
    if (seconds) timer = setTimeout(hideNotice, seconds * 1000)
}
