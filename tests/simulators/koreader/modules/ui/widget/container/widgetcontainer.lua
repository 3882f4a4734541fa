-- The base of every widget and plugin: classes by `extend`, instances by `new`, events to the children first.
local WidgetContainer = {}

function WidgetContainer:extend(class)
    class = class or {}
    self.__index = self
    return setmetatable(class, self)
end

function WidgetContainer:new(instance)
    instance = self:extend(instance)
    if instance._init then
        instance:_init()
    end
    if instance.init then
        instance:init()
    end
    return instance
end

--- A handler that returns true stops the event (koreader.md 3.5).
function WidgetContainer:handleEvent(event)
    for _, child in ipairs(self) do
        if child.handleEvent and child:handleEvent(event) then
            return true
        end
    end
    local handler = self[event.handler]
    if handler then
        return handler(self, unpack(event.args, 1, event.args.n))
    end
end

function WidgetContainer:free() end

function WidgetContainer:getSize()
    return { w = 600, h = 800 }
end

return WidgetContainer
