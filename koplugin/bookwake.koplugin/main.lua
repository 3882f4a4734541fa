--- Finds the plugin's code and hands over to it.
-- Nothing but this file and `_meta.lua` is looked at by KOReader; the modules are in `bookwake/`, reached by a
-- loader of our own, because the search path that is set while plugins load is gone when they run.
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."

if not package.loaded["bookwake_loader"] then
    package.loaded["bookwake_loader"] = true
    table.insert(package.loaders, 2, function(name)
        if name:match("^bookwake_[%w_]+$") then
            return loadfile(here .. "/bookwake/" .. name .. ".lua") or ("\n\tno " .. name .. " in " .. here)
        end
    end)
end

return require("bookwake_plugin")
