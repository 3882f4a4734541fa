--- Downloading as a person sees it: "Downloading 2 of 5 — Title", and what came of it.
local Catalogue = require("bookwake_catalogue")
local ConfirmBox = require("ui/widget/confirmbox")
local Download = require("bookwake_download")
local InfoMessage = require("ui/widget/infomessage")
local NetworkMgr = require("ui/network/manager")
local ProgressMessage = require("bookwake_progress_message")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")
local T = require("ffi/util").template
local util = require("util")

local DownloadScreen = {}

local function tell(text)
    UIManager:show(InfoMessage:new({ text = text }))
end

local function refresh()
    local FileManager = require("apps/filemanager/filemanager")
    if FileManager.instance then
        FileManager.instance:onRefresh()
    end
end

--- The sentences of what a download did.
function DownloadScreen.summary(result, address)
    local lines = {}
    local count = #result.downloaded
    if count > 0 then
        table.insert(lines, _.ngettext("One book was downloaded.", "%1 books were downloaded.", count))
    end
    if result.skipped > 0 then
        table.insert(lines, _.ngettext("One was here already.", "%1 were here already.", result.skipped))
    end
    for __, failure in ipairs(result.failed) do
        local why = Words.of_error(failure.err, address)
        table.insert(lines, T(_("“%1” failed: %2"), failure.book.title or "", why))
    end
    if result.stopped then
        table.insert(lines, _("The rest was not tried."))
    end
    if #lines == 0 then
        return _("There was nothing to download.")
    end
    return table.concat(lines, "\n")
end

--- Downloads a list of books. `after(result)` is called when the person has seen what came of it.
function DownloadScreen.books(plugin, books, after)
    if NetworkMgr:willRerunWhenConnected(function()
        DownloadScreen.books(plugin, books, after)
    end) then
        return
    end
    local stop
    local progress
    progress = ProgressMessage.new(function()
        UIManager:show(ConfirmBox:new({
            text = _("Stop downloading after this book?"),
            ok_text = _("Stop"),
            cancel_text = _("Go on"),
            ok_callback = function()
                stop()
            end,
        }))
    end)
    stop = Download.all(plugin, books, function(number, total, book, bytes, size)
        local text = T(_("Downloading %1 of %2 — %3"), number, total, book.title or "")
        if bytes and size then
            text = text .. "\n" .. T(_("%1 of %2"), util.getFriendlySize(bytes), util.getFriendlySize(size))
        end
        progress:show(text, not bytes)
    end, function(result)
        progress:close()
        refresh()
        local summary = DownloadScreen.summary(result, plugin.device.record.address)
        local path = result.downloaded[1]
        if #books == 1 and path then
            UIManager:show(ConfirmBox:new({
                text = summary,
                ok_text = _("Read now"),
                cancel_text = _("Close"),
                ok_callback = function()
                    require("apps/reader/readerui"):showReader(path)
                end,
            }))
        else
            tell(summary)
        end
        if after then
            after(result)
        end
    end)
end

local function of_series(plugin, choose)
    if NetworkMgr:willRerunWhenConnected(function()
        of_series(plugin, choose)
    end) then
        return
    end
    local match = (plugin.state:book(plugin.file) or {}).match
    local this = match and match.book
    if not this then
        return tell(_("This file is not in your library. See “Unknown files” in the Bookwake menu."))
    end
    Catalogue.series_of(plugin, this.id, function(books, err)
        if not books then
            return tell(Words.of_error(err, plugin.device.record.address))
        end
        local chosen = choose(books, this)
        if #chosen == 0 then
            return tell(_("There is nothing to download."))
        end
        return DownloadScreen.books(plugin, chosen)
    end)
end

--- The whole series of the open book.
function DownloadScreen.series(plugin)
    of_series(plugin, function(books)
        return books
    end)
end

--- What comes after the open book in its series.
function DownloadScreen.rest(plugin)
    of_series(plugin, function(books, this)
        local rest = {}
        local here = tonumber(this.series_index)
        local passed = false
        for __, book in ipairs(books) do
            local index = tonumber(book.series_index)
            if here and index then
                if index > here then
                    table.insert(rest, book)
                end
            elseif passed then
                table.insert(rest, book)
            end
            passed = passed or book.id == this.id
        end
        return rest
    end)
end

return DownloadScreen
