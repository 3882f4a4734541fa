--- The entry in KOReader's Tools menu, after calibre: what there is to do with this book, then what there always is.
local _ = require("bookwake_gettext")
local toast = require("bookwake_toast")
local T = require("ffi/util").template

local Menu = {}

local ID = "bookwake"

--- Puts our entry behind calibre's. The tables are KOReader's own and live as long as it does.
local function take_place()
    for _, which in ipairs({ "reader", "filemanager" }) do
        local ok, order = pcall(require, "ui/elements/" .. which .. "_menu_order")
        local tools = ok and type(order) == "table" and order.tools
        if type(tools) == "table" then
            local place
            for i, id in ipairs(tools) do
                if id == ID then
                    place = nil
                    break
                end
                if id == "calibre" then
                    place = i + 1
                end
            end
            if place then
                table.insert(tools, place, ID)
            end
        end
    end
end

--- Adds the entry. Nothing is asked of the network or the card before it is opened.
function Menu.add(plugin, menu_items)
    take_place()
    menu_items[ID] = {
        text = _("Bookwake"),
        sorting_hint = "tools",
        sub_item_table_func = function()
            return Menu.entries(plugin)
        end,
    }
end

--- Our menu by itself, for a gesture.
function Menu.show(plugin)
    local UIManager = require("ui/uimanager")
    local widget
    local function items(entries)
        local list = {}
        for _, entry in ipairs(entries) do
            local text = entry.text_func and entry.text_func() or entry.text
            local inner = entry.sub_item_table or entry.sub_item_table_func and entry.sub_item_table_func()
            local mark = entry.checked_func and (entry.checked_func() and "☑ " or "☐ ") or ""
            local enabled = not entry.enabled_func or entry.enabled_func()
            table.insert(list, {
                text = mark .. text,
                dim = not enabled or nil,
                select_enabled = enabled and true or false,
                sub_item_table = inner and items(inner) or nil,
                callback = entry.callback and function()
                    UIManager:close(widget)
                    entry.callback()
                end,
            })
        end
        return list
    end
    local List = require("bookwake_list")
    widget = List:new({
        title = _("Bookwake"),
        item_table = items(Menu.entries(plugin)),
    })
    UIManager:show(widget)
end

local function opened(module, action)
    return function(plugin)
        return function(touchmenu)
            require(module)[action](plugin, touchmenu)
        end
    end
end

--- A check mark that keeps the menu open.
local function check(plugin, name, text, help)
    return {
        text = text,
        help_text = help,
        keep_menu_open = true,
        checked_func = function()
            return plugin.settings:get(name)
        end,
        callback = function()
            plugin.settings:toggle(name)
        end,
    }
end

local BEHAVIOURS = {
    { "silently", _("Go there silently") },
    { "ask", _("Ask") },
    { "never", _("Stay here") },
}

local function behaviour(plugin, name, text)
    local choices = {}
    for _, choice in ipairs(BEHAVIOURS) do
        table.insert(choices, {
            text = choice[2],
            radio = true,
            keep_menu_open = true,
            checked_func = function()
                return plugin.settings:get(name) == choice[1]
            end,
            callback = function()
                plugin.settings:set(name, choice[1])
            end,
        })
    end
    return {
        text_func = function()
            local chosen
            for i = 1, #BEHAVIOURS do
                if BEHAVIOURS[i][1] == plugin.settings:get(name) then
                    chosen = BEHAVIOURS[i][2]
                end
            end
            return T(_("%1: %2"), text, chosen)
        end,
        sub_item_table = choices,
    }
end

local function every_pages(plugin)
    return {
        text_func = function()
            local pages = plugin.settings:get("every_pages")
            if pages == 0 then
                return _("Sync while reading: off")
            end
            return _.ngettext("Sync after every page", "Sync after every %1 pages", pages)
        end,
        help_text = _("Once so many pages were turned and nobody turns for a moment. 0 switches it off."),
        keep_menu_open = true,
        callback = function(touchmenu)
            local SpinWidget = require("ui/widget/spinwidget")
            require("ui/uimanager"):show(SpinWidget:new({
                title_text = _("Sync while reading"),
                info_text = _("After how many pages? 0 switches it off."),
                value = plugin.settings:get("every_pages"),
                value_min = 0,
                value_max = 200,
                value_step = 1,
                value_hold_step = 10,
                default_value = 10,
                ok_text = _("Set"),
                callback = function(spin)
                    plugin.settings:set("every_pages", spin.value)
                    if touchmenu then
                        touchmenu:updateItems()
                    end
                end,
            }))
        end,
    }
end

local function for_this_book(plugin)
    local function matched()
        local book = plugin.state:book(plugin.file)
        return book and book.match and book.match.book ~= nil or false
    end
    local function in_series()
        local book = plugin.state:book(plugin.file)
        local found = book and book.match and book.match.book
        return found and found.series ~= nil or false
    end
    return {
        {
            text = _("Sync this book now"),
            callback = opened("bookwake_sync_screen", "book")(plugin),
        },
        check(plugin, "auto_sync", _("Auto sync"), _("When a book is opened, put aside or closed, and while reading.")),
        check(
            plugin,
            "two_way",
            _("Two-way highlights"),
            _("Highlights and notes from other devices come here, too. When this is off, yours are only sent.")
        ),
        every_pages(plugin),
        {
            text = _("When another device is elsewhere"),
            sub_item_table = {
                behaviour(plugin, "newer", _("It is further")),
                behaviour(plugin, "older", _("It is further back")),
            },
        },
        {
            text = _("Undo last jump"),
            enabled_func = function()
                return plugin:can_undo_jump() and true or false
            end,
            callback = function()
                plugin:undo_jump()
            end,
        },
        {
            text = _("Status of this book"),
            callback = opened("bookwake_status_page", "book")(plugin),
        },
        {
            text_func = function()
                return plugin.is_left_out and _("Sync this book again") or _("Do not sync this book")
            end,
            help_text = _("Nothing of it is sent then: no place, highlights, reading time or backup; and nothing comes. What was sent before stays on the server."), -- luacheck: ignore 631
            callback = function()
                plugin:leave_out(not plugin.is_left_out)
                toast(plugin.is_left_out and _("This book is left out.") or _("This book is synced again."))
            end,
        },
        {
            text = _("Series of this book"),
            enabled_func = matched,
            separator = true,
            sub_item_table = {
                {
                    text = _("Download all"),
                    enabled_func = in_series,
                    callback = opened("bookwake_download_screen", "series")(plugin),
                },
                {
                    text = _("Download the rest"),
                    help_text = _("What comes after this book."),
                    enabled_func = in_series,
                    callback = opened("bookwake_download_screen", "rest")(plugin),
                },
            },
        },
    }
end

local function always(plugin)
    return {
        {
            text = _("Sync all books now"),
            callback = opened("bookwake_sync_screen", "all")(plugin),
        },
        {
            text = _("Browse library"),
            callback = opened("bookwake_library", "open")(plugin),
        },
        {
            text_func = function()
                local pending = plugin.state:pending()
                local waits = pending.total > 0
                return waits and T(_("Waiting to be sent (%1)"), pending.total) or _("Nothing waits to be sent")
            end,
            callback = opened("bookwake_status_page", "pending")(plugin),
        },
        {
            text_func = function()
                local files = plugin.state:unmatched()
                return #files > 0 and T(_("Unknown files (%1)"), #files) or _("Unknown files")
            end,
            callback = opened("bookwake_unmatched", "open")(plugin),
        },
        {
            text = _("Match all books again"),
            callback = opened("bookwake_unmatched", "rematch")(plugin),
        },
        {
            text = _("Backups"),
            sub_item_table = {
                {
                    text = _("Back up all metadata now"),
                    callback = opened("bookwake_backup_screen", "back_up")(plugin),
                },
                {
                    text = _("Restore metadata of a book"),
                    callback = opened("bookwake_backup_screen", "restore")(plugin),
                },
                check(plugin, "backups", _("Back up by itself"), _("At most every six hours for a book.")),
            },
        },
        {
            text = _("Reading history"),
            separator = true,
            sub_item_table = {
                {
                    text = _("Send reading history now"),
                    callback = opened("bookwake_history_screen", "send")(plugin),
                },
                check(plugin, "send_history", _("Send reading history by itself")),
                check(
                    plugin,
                    "receive_history",
                    _("Add reading time of other devices"),
                    _("Into the statistics of this KOReader. A copy of its database is made before.")
                ),
            },
        },
        {
            text = _("Test connection"),
            callback = opened("bookwake_connection", "test")(plugin),
        },
        {
            text = _("Settings"),
            sub_item_table_func = function()
                return require("bookwake_settings_menu").entries(plugin)
            end,
        },
        {
            text_func = function()
                local update = plugin.device.record.update
                return update and T(_("Update to version %1"), update.version) or _("Look for an update")
            end,
            callback = opened("bookwake_update_screen", "open")(plugin),
        },
        {
            text = _("About Bookwake"),
            callback = opened("bookwake_about", "show")(plugin),
        },
    }
end

local function unpaired(plugin)
    return {
        {
            text = _("Connect to your server"),
            callback = opened("bookwake_pairing", "open")(plugin),
        },
        {
            text = _("Settings"),
            sub_item_table_func = function()
                return require("bookwake_settings_menu").entries(plugin)
            end,
        },
        {
            text = _("About Bookwake"),
            callback = opened("bookwake_about", "show")(plugin),
        },
    }
end

--- The entries as they are now.
function Menu.entries(plugin)
    if not plugin.device:is_paired() then
        return unpaired(plugin)
    end
    local entries = plugin.file and for_this_book(plugin) or {}
    for _, entry in ipairs(always(plugin)) do
        table.insert(entries, entry)
    end
    return entries
end

return Menu
