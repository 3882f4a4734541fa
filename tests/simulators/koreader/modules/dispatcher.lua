-- Gestures and profiles: what plugins registered, by id. A second registration of an id changes nothing.
local Event = require("ui/event")
local UIManager = require("ui/uimanager")

local Dispatcher = { actions = {}, order = {} }

function Dispatcher:registerAction(name, action)
    assert(action.event and action.title and action.category, "an action needs event, title and category")
    if not self.actions[name] then
        self.actions[name] = action
        table.insert(self.order, name)
    end
    return true
end

function Dispatcher:removeAction(name)
    self.actions[name] = nil
end

--- As a gesture does it.
function Dispatcher:execute(name)
    local action = assert(self.actions[name], "no such action")
    UIManager:sendEvent(Event:new(action.event, action.arg))
end

return Dispatcher
