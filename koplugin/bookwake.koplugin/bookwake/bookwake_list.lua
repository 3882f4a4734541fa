--- A list over the whole screen.
local Menu = require("ui/widget/menu")
local UIManager = require("ui/uimanager")

local List = Menu:extend({
    is_borderless = true,
    is_popout = false,
    covers_fullscreen = true,
})

--- KOReader opens a book: under it the list would stay, and come up again when KOReader is left.
function List:onShowingReader()
    UIManager:close(self)
end

return List
