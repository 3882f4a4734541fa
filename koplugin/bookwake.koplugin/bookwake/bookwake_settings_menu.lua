--- The Settings entry: the server, names and folders of downloads, updates.
local InfoMessage = require("ui/widget/infomessage")
local UIManager = require("ui/uimanager")
local _ = require("bookwake_gettext")
local ask = require("bookwake_question")
local T = require("ffi/util").template

local SettingsMenu = {}

local function tell(text)
    UIManager:show(InfoMessage:new({ text = text }))
end

local function download_folder(plugin)
    return {
        text_func = function()
            local folder = plugin.settings:get("download_folder")
            return T(_("Folder: %1"), folder ~= "" and folder or _("home folder"))
        end,
        keep_menu_open = true,
        callback = function(touchmenu)
            local PathChooser = require("ui/widget/pathchooser")
            UIManager:show(PathChooser:new({
                select_directory = true,
                select_file = false,
                show_files = false,
                path = require("bookwake_download").folder(plugin.settings),
                onConfirm = function(path)
                    plugin.settings:set("download_folder", path)
                    if touchmenu then
                        touchmenu:updateItems()
                    end
                end,
            }))
        end,
        hold_callback = function(touchmenu)
            plugin.settings:set("download_folder", "")
            if touchmenu then
                touchmenu:updateItems()
            end
        end,
    }
end

local function download_names(plugin)
    return {
        text_func = function()
            return T(_("Template: %1"), plugin.settings:get("download_template"))
        end,
        keep_menu_open = true,
        callback = function(touchmenu)
            local FileName = require("bookwake_filename")
            ask({
                title = _("Names of downloads"),
                description = _("Parts: {series} {volume} {volume:00} {title} {author} {book_type}, Lower(…) and Upper(…). A slash begins a folder."), -- luacheck: ignore 631
                input = plugin.settings:get("download_template"),
                other = {
                    text = _("Preview"),
                    on_tap = function(template)
                        local preview, why = FileName.preview(template)
                        tell(preview or why)
                    end,
                },
                ok_text = _("Save"),
                on_ok = function(template, close)
                    local ok, why = FileName.check(template)
                    if not ok then
                        return tell(why)
                    end
                    plugin.settings:set("download_template", template)
                    close()
                    if touchmenu then
                        touchmenu:updateItems()
                    end
                end,
            })
        end,
    }
end

local FORMATS = {
    { "epub", _("EPUB, as it is in the library") },
    { "kepub", _("KEPUB, as Kobo's own reader gets it") },
}

local LAYOUTS = {
    { "series", _("A folder for each series") },
    { "flat", _("All in one folder") },
    { "template", _("By a template of your own") },
}

--- An entry with one choice of several.
local function choice(plugin, name, text, list)
    local entries = {}
    for i = 1, #list do
        entries[i] = {
            text = list[i][2],
            radio = true,
            keep_menu_open = true,
            checked_func = function()
                return plugin.settings:get(name) == list[i][1]
            end,
            callback = function()
                plugin.settings:set(name, list[i][1])
            end,
        }
    end
    return { text = text, sub_item_table = entries }
end

local function downloads(plugin)
    local layout = choice(plugin, "download_layout", _("Folders and names"), LAYOUTS)
    local names = download_names(plugin)
    names.enabled_func = function()
        return plugin.settings:get("download_layout") == "template"
    end
    table.insert(layout.sub_item_table, names)
    return { download_folder(plugin), layout, choice(plugin, "download_format", _("Format"), FORMATS) }
end

--- The entries as they are now.
function SettingsMenu.entries(plugin)
    local function paired()
        return plugin.device:is_paired()
    end
    return {
        {
            text_func = function()
                return paired() and T(_("Server: %1"), plugin.device.record.address) or _("Connect to your server")
            end,
            keep_menu_open = true,
            callback = function(touchmenu)
                require("bookwake_pairing").open(plugin, touchmenu)
            end,
        },
        {
            text = _("Disconnect from the server"),
            enabled_func = paired,
            keep_menu_open = true,
            separator = true,
            callback = function(touchmenu)
                require("bookwake_pairing").disconnect(plugin, touchmenu)
            end,
        },
        {
            text = _("Downloads"),
            sub_item_table = downloads(plugin),
        },
        {
            text = _("Look for updates by itself"),
            keep_menu_open = true,
            checked_func = function()
                return plugin.settings:get("check_updates")
            end,
            callback = function()
                plugin.settings:toggle("check_updates")
            end,
        },
    }
end

return SettingsMenu
