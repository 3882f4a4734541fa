--- How it stands: this book (match, last sync, what waits, what could not be placed and why), and all that waits.
local InfoMessage = require("ui/widget/infomessage")
local KeyValuePage = require("ui/widget/keyvaluepage")
local TextViewer = require("ui/widget/textviewer")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")
local T = require("ffi/util").template

local StatusPage = {}

local function shortened(text, length)
    text = (text or ""):gsub("%s+", " ")
    if #text <= length then
        return text
    end
    -- Not in the middle of a character.
    return (text:sub(1, length):gsub("[\192-\255][\128-\191]*$", "")) .. "…"
end

local function show_unplaced(items)
    local rows = {}
    for _, item in ipairs(items) do
        table.insert(rows, {
            shortened(item.text or item.note, 60),
            Words.of_reason(item.reason),
            callback = function()
                UIManager:show(TextViewer:new({
                    title = Words.of_reason(item.reason),
                    text = (item.text or "") .. (item.note and item.note ~= "" and "\n\n" .. item.note or ""),
                }))
            end,
        })
    end
    UIManager:show(KeyValuePage:new({ title = _("Not placed in this file"), kv_pairs = rows }))
end

local function on_deletions(plugin, book)
    local ConfirmBox = require("ui/widget/confirmbox")
    UIManager:show(ConfirmBox:new({
        text = _.ngettext(
            "A highlight is gone from this book at once. Delete it everywhere?",
            "%1 highlights are gone from this book at once. Delete them everywhere?",
            book.held_deletions
        ),
        ok_text = _("Delete everywhere"),
        cancel_text = _("Bring them back"),
        ok_callback = function()
            plugin.sync:confirm_deletions(plugin.file, true)
        end,
        cancel_callback = function()
            plugin.sync:confirm_deletions(plugin.file, false)
        end,
    }))
end

--- The page about the open book.
function StatusPage.book(plugin)
    if not plugin.file then
        return
    end
    if not plugin.device:is_paired() then
        return require("bookwake_pairing").open(plugin)
    end
    local book = plugin.state:book(plugin.file) or {}
    local match = book.match or {}
    local page
    local rows = {
        { _("Book"), match.book and Words.of_book(match.book) or _("not known to the server") },
        { _("Matched"), Words.of_match(match.how) },
        { _("Last sync"), Words.of_time(book.last_sync, os.time()) },
        {
            _("Waiting to be sent"),
            tostring(book.pending or 0),
            callback = function()
                StatusPage.pending(plugin)
            end,
        },
    }
    if book.is_left_out then
        table.insert(rows, 1, { _("Not synced"), _("you left this book out") })
    end
    if match.book and match.how ~= "exact" then
        table.insert(rows, {
            _("Another file"),
            _("highlights and places only go up"),
            callback = function()
                UIManager:show(InfoMessage:new({
                    text = _(
                        "This is not the very file that is in your library. Highlights and places are sent, and found there by their words; status, rating and reading time go both ways. To get highlights from other devices, download the book from your library." -- luacheck: ignore 631
                    ),
                }))
            end,
        })
        table.insert(rows, {
            _("Not this book?"),
            _("tap to say which one it is"),
            callback = function()
                local entry = { file = book.file, path = plugin.file }
                require("bookwake_unmatched").choose(plugin, entry, {}, function()
                    UIManager:close(page)
                    StatusPage.book(plugin)
                end)
            end,
        })
    end
    if not match.book then
        table.insert(rows, 1, {
            _("This file is unknown"),
            _("tap to say which book it is"),
            callback = function()
                require("bookwake_unmatched").open(plugin)
            end,
        })
    end
    if book.unplaced and #book.unplaced > 0 then
        table.insert(rows, {
            _("Highlights not placed"),
            T(_("%1, tap to see why"), #book.unplaced),
            callback = function()
                show_unplaced(book.unplaced)
            end,
        })
    end
    if (book.held_deletions or 0) > 0 then
        table.insert(rows, {
            _("Deletions that wait for you"),
            T(_("%1, tap to decide"), book.held_deletions),
            callback = function()
                on_deletions(plugin, book)
            end,
        })
    end
    for _, refused in ipairs(book.refused or {}) do
        table.insert(rows, { Words.of_kind(refused.kind), Words.of_reason(refused.reason) })
    end
    page = KeyValuePage:new({ title = _("Status of this book"), kv_pairs = rows })
    UIManager:show(page)
end

--- The page about everything that was not sent yet, and about what went wrong.
function StatusPage.pending(plugin)
    local pending = plugin.state:pending()
    local trouble = plugin.state:trouble() or {}
    local rows = {}
    local kinds = {}
    for kind in pairs(pending.by_kind or {}) do
        table.insert(kinds, kind)
    end
    table.sort(kinds)
    for _, kind in ipairs(kinds) do
        table.insert(rows, { Words.of_kind(kind), tostring(pending.by_kind[kind]) })
    end
    if pending.oldest then
        table.insert(rows, { _("The oldest is from"), Words.of_time(pending.oldest, os.time()) })
    end
    if trouble.last_error then
        table.insert(rows, { _("Last trouble"), Words.of_error(trouble.last_error, plugin.device.record.address) })
        if trouble.since then
            table.insert(rows, { _("Since"), Words.of_time(trouble.since, os.time()) })
        end
    end
    if (trouble.rejected or 0) > 0 then
        table.insert(rows, { _("Refused by the server"), tostring(trouble.rejected) })
    end
    if trouble.quarantined and #trouble.quarantined > 0 then
        table.insert(rows, { _("Damaged files put aside"), tostring(#trouble.quarantined) })
    end
    if #rows == 0 then
        UIManager:show(InfoMessage:new({ text = _("Everything was sent.") }))
        return
    end
    UIManager:show(KeyValuePage:new({ title = _("Waiting to be sent"), kv_pairs = rows }))
end

return StatusPage
