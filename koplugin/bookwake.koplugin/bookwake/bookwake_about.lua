--- Which version this is, and where things are, without any secret.
local KeyValuePage = require("ui/widget/keyvaluepage")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")

local About = {}

function About.show(plugin)
    local record = plugin.device.record
    local trouble = plugin.state:trouble()
    local rows = {
        { _("Version"), require("bookwake_version") },
        { _("KOReader"), require("version"):getCurrentRevision() or "" },
        { _("Server"), record.address or _("not connected") },
        { _("Person"), record.person },
        { _("This reader"), record.name },
        { _("Files of the plugin"), require("datastorage"):getFullDataDir() .. "/bookwake" },
        { _("Licence"), "AGPL-3.0-or-later" },
    }
    local pairs_shown = {}
    for _, row in ipairs(rows) do
        if row[2] then -- nobody yet, before it is connected
            table.insert(pairs_shown, row)
        end
    end
    if trouble and trouble.last_error then
        table.insert(pairs_shown, { _("Last trouble"), Words.of_error(trouble.last_error, record.address) })
    end
    UIManager:show(KeyValuePage:new({ title = _("About Bookwake"), kv_pairs = pairs_shown }))
end

return About
