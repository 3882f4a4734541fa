--- Backups as a person sees them: all books now, and the versions of one book to choose from.
local Backup = require("bookwake_backup")
local ConfirmBox = require("ui/widget/confirmbox")
local InfoMessage = require("ui/widget/infomessage")
local List = require("bookwake_list")
local NetworkMgr = require("ui/network/manager")
local ProgressMessage = require("bookwake_progress_message")
local Restore = require("bookwake_restore")
local Sidecar = require("bookwake_sidecar")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")
local T = require("ffi/util").template
local util = require("util")

local BackupScreen = {}

local function tell(text)
    UIManager:show(InfoMessage:new({ text = text }))
end

local function why(plugin, err)
    return Words.of_error(err, plugin.device.record.address)
end

--- Backs up every book that was opened here.
function BackupScreen.back_up(plugin)
    if NetworkMgr:willRerunWhenConnected(function()
        BackupScreen.back_up(plugin)
    end) then
        return
    end
    local progress = ProgressMessage.new()
    progress:show(_("Looking for books…"), true)
    local paths = Sidecar.opened_books()
    plugin.scheduler:submit({
        key = "backups",
        priority = "manual",
        start = function(finish)
            Backup.all(plugin.core, paths, {
                asked = true,
                on_progress = function(done, total)
                    progress:show(T(_("Backing up book %1 of %2"), done, total), done == total)
                end,
                on_done = function(result)
                    finish(result.error)
                    progress:close()
                    local lines = { _.ngettext("One book was backed up.", "%1 books were backed up.", result.sent) }
                    if result.unchanged > 0 then
                        table.insert(lines, _.ngettext("One had not changed.", "%1 had not changed.", result.unchanged))
                    end
                    if result.error then
                        table.insert(lines, why(plugin, result.error))
                    elseif result.failed > 0 then
                        table.insert(lines, _.ngettext("One failed:", "%1 failed:", result.failed))
                        table.insert(lines, why(plugin, result.why))
                    end
                    tell(table.concat(lines, "\n"))
                end,
            })
        end,
    })
end

local function restore(plugin, path, backup)
    local function begin()
        local waiting = InfoMessage:new({ text = _("Restoring…") })
        UIManager:show(waiting)
        Restore.run(plugin.core, path, backup, function(kept, err)
            UIManager:close(waiting)
            if not kept then
                return tell(why(plugin, err))
            end
            UIManager:show(ConfirmBox:new({
                text = _("It was restored. What was there before is kept on this reader."),
                ok_text = _("Open the book"),
                cancel_text = _("Close"),
                ok_callback = function()
                    require("apps/reader/readerui"):showReader(path)
                end,
            }))
        end)
    end
    local what = _("Highlights that are missing here are added, and status and rating where there are none. Nothing is taken away.") -- luacheck: ignore 631
    if backup.here then
        what = _("On this reader the book becomes what it was then: place, highlights, fonts and margins.")
            .. "\n\n"
            .. _("What you deleted on purpose since goes again with the next sync. The page of the book in your browser brings it back.") -- luacheck: ignore 631
    end
    UIManager:show(ConfirmBox:new({
        text = T(_("Restore the backup of %1 from %2?"), Words.of_time(backup.taken_at, os.time()), backup.device or "")
            .. "\n\n"
            .. what,
        ok_text = _("Restore"),
        ok_callback = function()
            if not Sidecar.is_open(path) then
                return begin()
            end
            -- KOReader writes the sidecar when it closes the book; ours comes after that.
            plugin.ui:onClose()
            local FileManager = require("apps/filemanager/filemanager")
            if not FileManager.instance then
                FileManager:showFiles((path:gsub("/[^/]*$", "")), path)
            end
            return UIManager:scheduleIn(1, begin)
        end,
    }))
end

--- The versions of one book.
function BackupScreen.versions(plugin, path)
    local file = plugin.books:identify(path)
    plugin.server:ask({
        path = "backups?file=" .. tostring(file),
        on_done = function(answer, err)
            if not answer or type(answer.backups) ~= "table" then
                return tell(why(plugin, err or { class = "foreign" }))
            elseif #answer.backups == 0 then
                return tell(_("There is no backup of this book."))
            end
            local items = {}
            for __, backup in ipairs(answer.backups) do
                local parts = { backup.here and _("this reader") or backup.device or "" }
                if backup.annotations then
                    table.insert(parts, _.ngettext("one highlight", "%1 highlights", backup.annotations))
                end
                if backup.percent then
                    table.insert(parts, T(_("%1 %"), math.floor(backup.percent * 100 + 0.5)))
                end
                table.insert(items, {
                    text = os.date("%Y-%m-%d %H:%M", backup.taken_at) .. " – " .. table.concat(parts, ", "),
                    mandatory = backup.size and util.getFriendlySize(backup.size) or nil,
                    callback = function()
                        restore(plugin, path, backup)
                    end,
                })
            end
            return UIManager:show(List:new({
                title = Sidecar.title(path),
                item_table = items,
            }))
        end,
    })
end

--- Which book: the open one, else one of those that were opened here.
function BackupScreen.restore(plugin)
    if NetworkMgr:willRerunWhenConnected(function()
        BackupScreen.restore(plugin)
    end) then
        return
    end
    if plugin.file then
        return BackupScreen.versions(plugin, plugin.file)
    end
    local items = {}
    for __, path in ipairs(Sidecar.opened_books()) do
        table.insert(items, {
            text = path:match("[^/]*$"),
            callback = function()
                BackupScreen.versions(plugin, path)
            end,
        })
    end
    if #items == 0 then
        return tell(_("No book was opened here yet. Open one, and its backups can be chosen."))
    end
    return UIManager:show(List:new({
        title = _("Restore metadata of a book"),
        item_table = items,
    }))
end

return BackupScreen
