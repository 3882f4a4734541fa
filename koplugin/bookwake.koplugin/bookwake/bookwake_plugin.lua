--- The plugin as KOReader sees it: one instance in the file manager and a new one for each opened book.
--
-- What must outlive an instance (state, outbox, a running request, back-off) is in one `core`, made once
-- (`bookwake_core`). The instance translates KOReader's events into calls of it; menus and pages get the instance.
-- The parts and what they offer each other: koplugin/README.md.
local Actions = require("bookwake_actions")
local Core = require("bookwake_core")
local Enrolment = require("bookwake_enrolment")
local Menu = require("bookwake_menu")
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
    self.file = self.ui.document and self.ui.document.file
    self.ui.menu:registerToMainMenu(self)
    self:onDispatcherRegisterActions()
    if not self.ui.document then
        Enrolment.begin(self)
    end
end

Actions.install(Plugin)

function Plugin:can_undo_jump()
    return false
end

function Plugin:undo_jump() end

function Plugin:capture() end

function Plugin:addToMainMenu(menu_items)
    Menu.add(self, menu_items)
end

return Plugin
