--- Files that are no book of the server: a list, one tap to say which book a file is; and matching all again.
local ButtonDialog = require("ui/widget/buttondialog")
local InfoMessage = require("ui/widget/infomessage")
local List = require("bookwake_list")
local NetworkMgr = require("ui/network/manager")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")
local ask = require("bookwake_question")
local toast = require("bookwake_toast")
local T = require("ffi/util").template

local Unmatched = {}

local MOST = 5 -- proposals that are shown for a file

local function tell(text)
    UIManager:show(InfoMessage:new({ text = text }))
end

local function authors_of(book)
    return type(book.authors) == "table" and table.concat(book.authors, ", ") or book.authors or ""
end

--- Says that a file is a book, then keeps what the server answers.
local function link(plugin, entry, book, done)
    plugin.server:ask({
        path = "link",
        body = { file = entry.file, book = book.id },
        on_done = function(answer, err)
            if not answer or not answer.match then
                return tell(Words.of_error(err, plugin.device.record.address))
            end
            plugin.books:matched(entry.path, answer.match, entry.file, plugin.device.record.library)
            toast(T(_("Linked with “%1”."), book.title or ""))
            plugin:capture()
            plugin.sync:now({ file = entry.path, reason = "person" }) -- what has waited for this
            if done then
                done()
            end
        end,
    })
end

local function search(plugin, entry, done)
    ask({
        title = _("Which book is it?"),
        description = entry.path,
        input = entry.title,
        ok_text = _("Search"),
        on_ok = function(words, close)
            close()
            plugin.server:ask({
                path = "library/books?search=" .. require("util").urlEncode(words),
                on_done = function(answer, err)
                    if not answer or type(answer.items) ~= "table" then
                        return tell(Words.of_error(err, plugin.device.record.address))
                    end
                    return Unmatched.choose(plugin, entry, answer.items, done, words)
                end,
            })
        end,
    })
end

--- A choice among books for one file.
function Unmatched.choose(plugin, entry, books, done, words)
    local dialog
    local function close()
        UIManager:close(dialog)
    end
    local buttons = {}
    for i = 1, math.min(#books, MOST) do
        local book = books[i]
        local authors = authors_of(book)
        table.insert(buttons, {
            {
                text = Words.of_book(book) .. (authors ~= "" and " – " .. authors or ""),
                align = "left",
                callback = function()
                    close()
                    link(plugin, entry, book, done)
                end,
            },
        })
    end
    table.insert(buttons, {
        {
            text = _("Search"),
            callback = function()
                close()
                search(plugin, entry, done)
            end,
        },
        { text = _("Cancel"), callback = close },
    })
    local title = entry.path:match("[^/]*$")
    if words and #books == 0 then
        title = title .. "\n\n" .. T(_("There is no book with “%1” in your library."), words)
    elseif #books > 0 then
        title = title .. "\n\n" .. _("Tap the book that this file is.")
    end
    dialog = ButtonDialog:new({ title = title, buttons = buttons })
    UIManager:show(dialog)
end

--- The list. A tap on a file shows what it may be.
function Unmatched.open(plugin)
    local menu
    local function items()
        local list = {}
        for __, entry in ipairs(plugin.state:unmatched()) do
            local proposals = type(entry.proposals) == "table" and entry.proposals or {}
            table.insert(list, {
                text = entry.title or entry.path:match("[^/]*$"),
                mandatory = #proposals > 0 and _.ngettext("one proposal", "%1 proposals", #proposals) or nil,
                callback = function()
                    Unmatched.choose(plugin, entry, proposals, function()
                        local left = items()
                        if #left > 0 then
                            menu:switchItemTable(nil, left)
                        else
                            UIManager:close(menu)
                        end
                    end)
                end,
            })
        end
        return list
    end
    local list = items()
    if #list == 0 then
        return tell(_("Every file that was opened here is known to the server."))
    end
    menu = List:new({
        title = _("Unknown files"),
        subtitle = _("Tap one to say which book it is"),
        item_table = list,
    })
    UIManager:show(menu)
end

--- Asks the server about every file again, also about those it knew.
function Unmatched.rematch(plugin)
    if NetworkMgr:willRerunWhenConnected(function()
        Unmatched.rematch(plugin)
    end) then
        return
    end
    local waiting = InfoMessage:new({ text = _("Matching all books again…") })
    UIManager:show(waiting)
    plugin.sync:all({
        reason = "person",
        rematch = true,
        files = require("bookwake_sidecar").opened_books(),
        on_done = function(result)
            UIManager:close(waiting)
            if result.error then
                return tell(Words.of_error(result.error, plugin.device.record.address))
            end
            local unknown = #plugin.state:unmatched()
            if unknown == 0 then
                return tell(_("All files are known to the server."))
            end
            return tell(
                _.ngettext("One file is not in your library.", "%1 files are not in your library.", unknown)
                    .. "\n"
                    .. _("See “Unknown files” in this menu.")
            )
        end,
    })
end

return Unmatched
