--- What gestures, profiles and hotkeys can do, through KOReader's Dispatcher.
local _ = require("bookwake_gettext")

local Actions = {}

-- Ids are global and a title is kept once registered, so an action with another title needs another id.
local LIST = {
    { "bookwake_sync_book", "BookwakeSyncBook", _("Bookwake: sync this book now"), "reader" },
    { "bookwake_sync_all", "BookwakeSyncAll", _("Bookwake: sync all books now"), "general" },
    { "bookwake_browse", "BookwakeBrowse", _("Bookwake: browse library"), "general" },
    { "bookwake_status", "BookwakeStatus", _("Bookwake: status of this book"), "reader" },
    { "bookwake_undo_jump", "BookwakeUndoJump", _("Bookwake: undo last jump"), "reader" },
    { "bookwake_toggle_auto", "BookwakeToggleAuto", _("Bookwake: switch auto sync"), "general" },
    { "bookwake_send_history", "BookwakeSendHistory", _("Bookwake: send reading history"), "general" },
    { "bookwake_menu", "BookwakeMenu", _("Bookwake: open menu"), "general" },
}

function Actions.register()
    local Dispatcher = require("dispatcher")
    for _, action in ipairs(LIST) do
        Dispatcher:registerAction(action[1], {
            category = "none",
            event = action[2],
            title = action[3],
            [action[4]] = true,
        })
    end
end

--- Gives a plugin class the handlers. They must be there before KOReader wraps what begins with "on".
function Actions.install(Plugin)
    function Plugin:onDispatcherRegisterActions()
        Actions.register()
    end

    function Plugin:onBookwakeSyncBook()
        require("bookwake_sync_screen").book(self)
        return true
    end

    function Plugin:onBookwakeSyncAll()
        require("bookwake_sync_screen").all(self)
        return true
    end

    function Plugin:onBookwakeBrowse()
        require("bookwake_library").open(self)
        return true
    end

    function Plugin:onBookwakeStatus()
        require("bookwake_status_page").book(self)
        return true
    end

    function Plugin:onBookwakeUndoJump()
        if self:can_undo_jump() then
            self:undo_jump()
        end
        return true
    end

    function Plugin:onBookwakeToggleAuto()
        self.settings:toggle("auto_sync")
        local on = self.settings:get("auto_sync")
        require("bookwake_toast")(on and _("Auto sync is on.") or _("Auto sync is off."))
        return true
    end

    function Plugin:onBookwakeSendHistory()
        require("bookwake_history_screen").send(self)
        return true
    end

    function Plugin:onBookwakeMenu()
        require("bookwake_menu").show(self)
        return true
    end
end

return Actions
