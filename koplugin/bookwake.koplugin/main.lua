--[[--
Finds the newest code that works and hands over to it. This file is never replaced by an update.

The code is in builds: the one that was installed by hand (`bookwake/` beside this file) and those that came as updates
(`<data dir>/bookwake/builds/<version>/`). A new build is on trial: each start of KOReader with it is counted before it
is loaded, and it has two. When it has run for a minute it confirms itself (bookwake_update); else the one before it is
taken again. A build that does not load is left at once. If nothing loads, KOReader goes on without this plugin.

`builds/state` says which build is meant, as lines of `name=value` with `end` in the last one.
]]
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."

local TRIALS = 2

local Shim = { plugin = here }

local function version_of(directory)
    local file = io.open(directory .. "/bookwake_version.lua", "rb")
    local text = file and file:read(4096)
    if file then
        file:close()
    end
    return text and text:match('return%s+"([%w%.%-+]+)"')
end

-- Whether one version comes after another; any comes after none.
local function is_newer(one, other)
    if not one or not other then
        return one ~= nil
    end
    local theirs = other:gmatch("%d+")
    for mine in one:gmatch("%d+") do
        local a, b = tonumber(mine), tonumber(theirs() or 0)
        if a ~= b then
            return a > b
        end
    end
    return false
end

--- What `builds/state` says; nothing if it was cut short.
function Shim.read()
    local file = Shim.builds and io.open(Shim.builds .. "/state", "rb")
    local text = file and file:read(4096) or ""
    if file then
        file:close()
    end
    local state = {}
    if text:match("\nend\n$") then
        for name, value in text:gmatch("(%w+)=([%w%.%-+]+)\n") do
            state[name] = value
        end
        state.trials = tonumber(state.trials)
    end
    return state
end

--- Replaces it, whole or not at all. True when it is written.
function Shim.write(state)
    local path = Shim.builds .. "/state"
    local file = io.open(path .. ".tmp", "wb")
    if not file then
        return false
    end
    local written = true
    for _, name in ipairs({ "current", "before", "pending", "trials", "back" }) do
        if state[name] then
            written = written and file:write(name, "=", tostring(state[name]), "\n")
        end
    end
    written = written and file:write("end\n") and file:flush()
    file:close()
    return written and os.rename(path .. ".tmp", path) and true or false
end

-- Our modules are found where the chosen build is. They have to be found later, too, when `package.path` is another.
local function find(name)
    if not name:match("^bookwake_[%w_]+$") then
        return nil
    end
    local chunk, why = loadfile(Shim.directory .. "/" .. name .. ".lua")
    return chunk or ("\n\t" .. tostring(why))
end

local function load_from(directory)
    Shim.directory = directory
    Shim.running = version_of(directory)
    local ok, result = xpcall(function()
        assert(Shim.running, "there is no code in " .. directory)
        return require("bookwake_plugin")
    end, debug.traceback)
    if ok and type(result) == "table" then
        return result
    end
    for name in pairs(package.loaded) do
        if name:match("^bookwake_") and name ~= "bookwake_shim" then
            package.loaded[name] = nil
        end
    end
    Shim.problem = tostring(result)
    local logged, logger = pcall(require, "logger")
    if logged then
        logger.err("Bookwake: the code in", directory, "cannot be loaded:", Shim.problem)
    end
end

local function choose()
    local installed = here .. "/bookwake"
    local ok, storage = pcall(require, "datastorage")
    Shim.builds = ok and storage:getDataDir() .. "/bookwake/builds" or nil
    local state = Shim.read()
    local pending = state.pending

    if pending then
        local trials = state.trials or 0
        -- A start that cannot be counted is not dared. Whoever installs a newer one by hand means that.
        local is_old = not is_newer(pending, version_of(installed))
        if trials >= TRIALS or is_old then
            state.pending, state.trials = nil, nil
            state.back = not is_old and pending or state.back
            Shim.write(state)
        else
            state.trials = trials + 1
            if Shim.write(state) then
                Shim.is_on_trial = true
                local plugin = load_from(Shim.builds .. "/" .. pending)
                if plugin then
                    return plugin
                end
                Shim.is_on_trial = false
                state.pending, state.trials, state.back = nil, nil, pending
                Shim.write(state)
            end
        end
    end

    if state.current and is_newer(state.current, version_of(installed)) then
        local plugin = load_from(Shim.builds .. "/" .. state.current)
        if plugin then
            return plugin
        end
        if state.before and is_newer(state.before, version_of(installed)) then
            plugin = load_from(Shim.builds .. "/" .. state.before)
            if plugin then
                return plugin
            end
        end
    end
    return load_from(installed)
end

package.loaded["bookwake_shim"] = Shim
table.insert(package.loaders, 2, find)
local ok, plugin = pcall(choose)
-- KOReader leaves a plugin alone that says it is disabled.
return ok and plugin or { disabled = true }
