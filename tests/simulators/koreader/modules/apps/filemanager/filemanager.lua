-- The file manager: a plugin has one instance here, and another in every open book.
local Event = require("ui/event")
local UIManager = require("ui/uimanager")
local WidgetContainer = require("ui/widget/container/widgetcontainer")
local main_menu = require("main_menu")

local FileManager = WidgetContainer:extend({ name = "FileManager" })

function FileManager:init()
    self.file_chooser = {
        path = self.path,
        refreshPath = function()
            self.refreshed = (self.refreshed or 0) + 1
        end,
    }
    self.menu = main_menu.new("filemanager", self)
    self.dialog = self
    for _, plugin in ipairs(require("pluginloader"):instances({ dialog = self, ui = self }, false)) do
        self[plugin.name] = plugin.instance
        table.insert(self, plugin.instance)
    end
    FileManager.instance = self
end

function FileManager:showFiles(path)
    local manager = FileManager:new({ path = path })
    UIManager:show(manager)
    manager:handleEvent(Event:new("PathChanged", path))
    return manager
end

function FileManager:openFile(file)
    require("apps/reader/readerui"):showReader(file)
end

function FileManager:onRefresh()
    self.file_chooser.refreshPath()
end

function FileManager:onShowingReader()
    self:onClose()
end

function FileManager:onClose()
    self:handleEvent(Event:new("SaveSettings"))
    UIManager:close(self)
    return true
end

function FileManager:onCloseWidget()
    FileManager.instance = nil
end

return FileManager
