local _ = require("gettext")

return {
    fullname = "Bookwake",
    description = _(
        [[Keeps your place, highlights, notes, statuses and reading time in step with your Kobo and the browser.]]
    ),
    version = "1.0.0",
}
