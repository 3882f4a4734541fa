--- The library of the server on the reader: series with their authors and counts, authors, what is new, a search.
local ButtonDialog = require("ui/widget/buttondialog")
local Catalogue = require("bookwake_catalogue")
local ConfirmBox = require("ui/widget/confirmbox")
local Download = require("bookwake_download")
local DownloadScreen = require("bookwake_download_screen")
local InfoMessage = require("ui/widget/infomessage")
local List = require("bookwake_list")
local NetworkMgr = require("ui/network/manager")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")
local ask = require("bookwake_question")
local T = require("ffi/util").template

local Library = {}

local function tell(text)
    UIManager:show(InfoMessage:new({ text = text }))
end

local function authors_of(entry)
    return type(entry.authors) == "table" and table.concat(entry.authors, ", ") or entry.authors or ""
end

local function with_authors(text, entry)
    local authors = authors_of(entry)
    return authors ~= "" and text .. " – " .. authors or text
end

-- A list that grows by a page with each tap on its last line. `line(entry)` makes an item of an entry.
local function show_list(plugin, title, what, filter, line, first)
    local menu
    local items = {}
    local function more(number)
        Catalogue.page(plugin, what, filter, number, function(answer, err)
            if not answer then
                return tell(Words.of_error(err, plugin.device.record.address))
            end
            if items[#items] and items[#items].is_more then
                table.remove(items)
            end
            local start = #items + 1
            for __, entry in ipairs(answer.items) do
                table.insert(items, line(entry))
            end
            local pages = tonumber(answer.pages) or 1
            if number < pages then
                table.insert(items, {
                    text = T(_("More (page %1 of %2)"), number + 1, pages),
                    is_more = true,
                    callback = function()
                        more(number + 1)
                    end,
                })
            end
            if menu then
                return menu:switchItemTable(nil, items, start)
            elseif #answer.items == 0 then
                return tell(_("There is nothing."))
            end
            if first and first(answer) then
                table.insert(items, 1, first(answer))
            end
            menu = List:new({
                title = title,
                item_table = items,
            })
            return UIManager:show(menu)
        end)
    end
    more(1)
end

--- What can be done with one book.
function Library.book(plugin, book)
    local dialog
    local function button(text, action)
        return {
            {
                text = text,
                callback = function()
                    UIManager:close(dialog)
                    action()
                end,
            },
        }
    end
    local here = Download.present(plugin, book)
    local buttons = {}
    if here then
        table.insert(buttons, button(_("Read now"), function()
            require("apps/reader/readerui"):showReader(here)
        end))
    else
        table.insert(buttons, button(_("Download"), function()
            DownloadScreen.books(plugin, { book })
        end))
    end
    if book.series then
        table.insert(buttons, button(_("Show the series"), function()
            Library.series(plugin, book.series)
        end))
    end
    table.insert(buttons, button(_("Cancel"), function() end))
    dialog = ButtonDialog:new({
        title = with_authors(Words.of_book(book), book) .. (here and "\n\n" .. here or ""),
        title_align = "center",
        buttons = buttons,
    })
    UIManager:show(dialog)
end

local function book_line(plugin)
    return function(book)
        return {
            text = with_authors(Words.of_book(book), book),
            mandatory = Download.present(plugin, book) and "✓" or nil,
            callback = function()
                Library.book(plugin, book)
            end,
        }
    end
end

--- The books of a series; its first line downloads them all.
function Library.series(plugin, name)
    show_list(plugin, name, "books", { series = name }, book_line(plugin), function(answer)
        local total = tonumber(answer.total) or #answer.items
        return {
            text = _.ngettext("Download this book", "Download all %1 books", total),
            bold = true,
            callback = function()
                UIManager:show(ConfirmBox:new({
                    text = _.ngettext("Download a book?", "Download %1 books? Those here are left alone.", total),
                    ok_text = _("Download"),
                    ok_callback = function()
                        Catalogue.books(plugin, { series = name }, function(books, err)
                            if not books then
                                return tell(Words.of_error(err, plugin.device.record.address))
                            end
                            return DownloadScreen.books(plugin, books)
                        end)
                    end,
                }))
            end,
        }
    end)
end

local function all_series(plugin)
    show_list(plugin, _("Series"), "series", {}, function(series)
        return {
            text = with_authors(series.name, series),
            mandatory = _.ngettext("one book", "%1 books", tonumber(series.books) or 0),
            callback = function()
                Library.series(plugin, series.name)
            end,
        }
    end)
end

local function all_authors(plugin)
    show_list(plugin, _("Authors"), "authors", {}, function(author)
        return {
            text = author.name,
            mandatory = _.ngettext("one book", "%1 books", tonumber(author.books) or 0),
            callback = function()
                show_list(plugin, author.name, "books", { author = author.name }, book_line(plugin))
            end,
        }
    end)
end

local function search(plugin)
    ask({
        title = _("Search the library"),
        ok_text = _("Search"),
        on_ok = function(words, close)
            if words:match("%S") then
                close()
                show_list(plugin, words, "books", { search = words }, book_line(plugin))
            end
        end,
    })
end

--- The first page: by series, by author, what is new, search.
function Library.open(plugin)
    if not plugin.device:is_paired() then
        return require("bookwake_pairing").open(plugin)
    end
    if NetworkMgr:willRerunWhenConnected(function()
        Library.open(plugin)
    end) then
        return
    end
    local function line(text, action)
        return {
            text = text,
            callback = function()
                action(plugin)
            end,
        }
    end
    UIManager:show(List:new({
        title = _("Library"),
        item_table = {
            line(_("Series"), all_series),
            line(_("Authors"), all_authors),
            line(_("New books"), function()
                show_list(plugin, _("New books"), "books", { recent = 1 }, book_line(plugin))
            end),
            line(_("All books"), function()
                show_list(plugin, _("All books"), "books", {}, book_line(plugin))
            end),
            line(_("Search"), search),
        },
    }))
end

return Library
