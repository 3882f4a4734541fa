-- The main menu: widgets register, and are asked for their entries each time it is built.
local main_menu = {}
main_menu.__index = main_menu

function main_menu.new(which, ui)
    return setmetatable({ which = which, ui = ui, registered_widgets = {}, menu_items = {} }, main_menu)
end

function main_menu:registerToMainMenu(widget)
    table.insert(self.registered_widgets, widget)
end

--- The entries of the Tools menu in their order; what no table names comes behind, where its hint says.
function main_menu:tools()
    self.menu_items = {}
    for _, id in ipairs({ "calibre", "exporter", "statistics", "more_tools", "plugin_management" }) do
        self.menu_items[id] = { text = id }
    end
    for _, widget in ipairs(self.registered_widgets) do
        widget:addToMainMenu(self.menu_items)
    end
    local order = require("ui/elements/" .. self.which .. "_menu_order")
    local listed, placed = {}, {}
    for _, id in ipairs(order.tools) do
        if self.menu_items[id] then
            table.insert(listed, self.menu_items[id])
            assert(not placed[id], "an entry stands twice in the menu")
            placed[id] = true
        end
    end
    for id, item in pairs(self.menu_items) do
        if not placed[id] and item.sorting_hint == "tools" then
            table.insert(listed, item)
        elseif not placed[id] and not item.sorting_hint and id ~= "plugin_management" then
            error("an entry lands in the first menu as NEW: " .. id)
        end
    end
    return listed
end

--- What is given to callbacks: `updateItems` shows their texts again.
main_menu.touchmenu_instance = {
    updated = 0,
    updateItems = function(self)
        self.updated = self.updated + 1
    end,
    closeMenu = function(self)
        self.closed = true
    end,
    onClose = function() end,
}

return main_menu
