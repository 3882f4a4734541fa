-- An event: the name of its handler and its arguments.
local Event = {}
Event.__index = Event

function Event:new(name, ...)
    return setmetatable({ handler = "on" .. name, args = { n = select("#", ...), ... } }, self)
end

return Event
