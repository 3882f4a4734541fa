--- The plugin as KOReader sees it: one instance in the file manager and a new one for each opened book.
--
-- What must outlive an instance (state, outbox, a running request, back-off) is in one `core`, made once
-- (`bookwake_core`). The instance translates KOReader's events into calls of it; menus and pages get the instance.
-- The parts and what they offer each other: koplugin/README.md.
local Core = require("bookwake_core")
local WidgetContainer = require("ui/widget/container/widgetcontainer")

local Plugin = WidgetContainer:extend({
    name = "bookwake",
    is_doc_only = false,
})

function Plugin:init()
    self.core = Core.get()
    for _, name in ipairs({ "settings", "device", "server", "scheduler", "sync", "state", "books", "outbox" }) do
        self[name] = self.core[name]
    end
    self.ui.menu:registerToMainMenu(self)
end

function Plugin:addToMainMenu(menu_items)
    local ok, Menu = pcall(require, "bookwake_menu")
    if ok then
        Menu.add(self, menu_items)
    end
end

return Plugin
