--- Everything that outlives one instance of the plugin, put together once for the process.
local Core = {}

local core

--- The one core of this process.
function Core.get()
    if not core then
        core = Core.build()
    end
    return core
end

function Core.build()
    return {}
end

return Core
