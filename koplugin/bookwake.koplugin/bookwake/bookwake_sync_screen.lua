--- Syncing because a person asked for it: with a sign that it goes on, and a page of what came of it.
local InfoMessage = require("ui/widget/infomessage")
local KeyValuePage = require("ui/widget/keyvaluepage")
local NetworkMgr = require("ui/network/manager")
local ProgressMessage = require("bookwake_progress_message")
local Sidecar = require("bookwake_sidecar")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")
local toast = require("bookwake_toast")
local T = require("ffi/util").template

local SyncScreen = {}

local function tell(text)
    UIManager:show(InfoMessage:new({ text = text }))
end

--- Syncs the open book, and says in a line what happened.
function SyncScreen.book(plugin)
    if not plugin.device:is_paired() then
        return require("bookwake_pairing").open(plugin)
    end
    if plugin.is_left_out then
        return tell(_("You left this book out. “Sync this book again” in the Bookwake menu takes it back in."))
    end
    if NetworkMgr:willRerunWhenConnected(function()
        SyncScreen.book(plugin)
    end) then
        return
    end
    local file = plugin.file
    if not file then
        return
    end
    plugin:capture()
    toast(_("Syncing this book…"))
    plugin.sync:now({
        file = file,
        reason = "person",
        on_done = function(result)
            SyncScreen.said(plugin, result)
        end,
    })
end

--- A line about a sync of one book; a message where something went wrong or needs a person.
function SyncScreen.said(plugin, result)
    if result.error then
        return tell(Words.of_error(result.error, plugin.device.record.address))
    end
    local book = plugin.file and plugin.state:book(plugin.file)
    local how = book and book.match and book.match.how
    if (result.unmatched or 0) > 0 or how == "none" then
        return tell(_("This file is not in your library. See “Unknown files” in the Bookwake menu."))
    end
    local parts = {}
    if (result.sent or 0) > 0 then
        table.insert(parts, T(_("%1 sent"), result.sent))
    end
    if (result.given or 0) > 0 then
        table.insert(parts, T(_("%1 received"), result.given))
    end
    if (result.removed or 0) > 0 then
        table.insert(parts, T(_("%1 removed"), result.removed))
    end
    if (result.unplaced or 0) > 0 then
        table.insert(parts, T(_("%1 could not be placed"), result.unplaced))
    end
    if #parts == 0 then
        return toast(_("This book is in step."))
    end
    return toast(T(_("In step: %1."), table.concat(parts, ", ")))
end

--- Syncs every book that was ever opened here, with progress; tapping it away lets it go on unseen.
function SyncScreen.all(plugin)
    if not plugin.device:is_paired() then
        return require("bookwake_pairing").open(plugin)
    end
    if NetworkMgr:willRerunWhenConnected(function()
        SyncScreen.all(plugin)
    end) then
        return
    end
    if plugin.file then
        plugin:capture()
    end
    local progress = ProgressMessage.new()
    progress:show(_("Syncing all books…"), true)
    local started = os.time()
    plugin.sync:all({
        reason = "person",
        files = Sidecar.opened_books(),
        on_progress = function(done, total, title)
            progress:show(T(_("Syncing book %1 of %2\n%3"), done, total, title or ""), done == total)
        end,
        on_done = function(result)
            progress:close()
            SyncScreen.result(plugin, result, os.time() - started)
        end,
    })
end

--- The page of what a sync of all books did.
function SyncScreen.result(plugin, result, seconds)
    local rows = {
        { _("Books"), tostring(result.books or 0) },
        { _("Sent"), tostring(result.sent or 0) },
        { _("Received"), tostring(result.given or 0) },
        { _("Removed"), tostring(result.removed or 0) },
    }
    if (result.unplaced or 0) > 0 then
        table.insert(rows, { _("Could not be placed"), tostring(result.unplaced) })
    end
    if (result.refused or 0) > 0 then
        table.insert(rows, { _("Refused by the server"), tostring(result.refused) })
    end
    if (result.unmatched or 0) > 0 then
        table.insert(rows, {
            _("Unknown files"),
            tostring(result.unmatched),
            callback = function()
                require("bookwake_unmatched").open(plugin)
            end,
        })
    end
    local pending = plugin.state:pending()
    if pending.total > 0 then
        table.insert(rows, {
            _("Still waiting to be sent"),
            tostring(pending.total),
            callback = function()
                require("bookwake_status_page").pending(plugin)
            end,
        })
    end
    table.insert(rows, { _("Time"), _.ngettext("%1 second", "%1 seconds", math.max(1, math.floor(seconds or 0))) })
    if result.error then
        table.insert(rows, 1, { _("Stopped"), Words.of_error(result.error, plugin.device.record.address) })
    end
    UIManager:show(KeyValuePage:new({
        title = result.error and _("Not all books are in step") or _("All books are in step"),
        kv_pairs = rows,
    }))
end

return SyncScreen
