--- Which version this is, and where things are, without any secret.
local KeyValuePage = require("ui/widget/keyvaluepage")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")

local About = {}

function About.show(plugin)
    local record = plugin.device.record
    local trouble = plugin.state:trouble()
    local pairs_shown = {
        { _("Version"), require("bookwake_version") },
        { _("KOReader"), require("version"):getCurrentRevision() or "" },
        { _("Server"), record.address or _("not connected") },
        { _("Person"), record.person or "" },
        { _("This reader"), record.name or "" },
        { _("Files of the plugin"), require("datastorage"):getFullDataDir() .. "/bookwake" },
        { _("Licence"), "AGPL-3.0-or-later" },
    }
    if trouble and trouble.last_error then
        table.insert(pairs_shown, { _("Last trouble"), Words.of_error(trouble.last_error, record.address) })
    end
    UIManager:show(KeyValuePage:new({ title = _("About Bookwake"), kv_pairs = pairs_shown }))
end

return About
