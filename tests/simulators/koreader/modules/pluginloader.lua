-- Loads plugins as KOReader does: `dofile`, handlers in a sandbox that logs errors, `require` by name for all.
local logger = require("logger")

local PluginLoader = { enabled_plugins = {}, failures = {} }

local function sandboxed(plugin, name, handler)
    return setmetatable({}, {
        __call = function(_, module, ...)
            local ok, result = xpcall(handler, debug.traceback, module, ...)
            if ok then
                return result
            end
            logger.err("An error occurred while executing handler " .. plugin.name .. ":" .. name .. ":\n", result)
            table.insert(PluginLoader.failures, result)
            return false
        end,
    })
end

function PluginLoader:load(directories)
    local path = package.path
    for _, directory in ipairs(directories) do
        package.path = directory .. "/?.lua;" .. path
        local ok, plugin = pcall(dofile, directory .. "/main.lua")
        if ok and type(plugin) == "table" and plugin.disabled ~= true then
            plugin.path = directory
            plugin.name = directory:match("([^/]+)%.koplugin$")
            local meta_ok, meta = pcall(dofile, directory .. "/_meta.lua")
            for key, value in pairs(meta_ok and meta or {}) do
                if key ~= "name" then
                    plugin[key] = value
                end
            end
            -- Only what is in the class itself when it comes back, not what is inherited or added later.
            for key, value in pairs(plugin) do
                if key:sub(1, 2) == "on" and type(value) == "function" then
                    plugin[key] = sandboxed(plugin, key, value)
                end
            end
            table.insert(self.enabled_plugins, plugin)
        else
            logger.warn("Error when loading", directory .. "/main.lua", plugin)
            table.insert(self.failures, tostring(plugin))
        end
    end
    package.path = path
    for _, plugin in ipairs(self.enabled_plugins) do
        package.path = package.path .. ";" .. plugin.path .. "/?.lua"
    end
end

--- An instance of each plugin that belongs here.
function PluginLoader:instances(attributes, in_reader)
    local made = {}
    for _, plugin in ipairs(self.enabled_plugins) do
        if in_reader or not plugin.is_doc_only then
            local own = {}
            for key, value in pairs(attributes) do
                own[key] = value
            end
            local ok, instance = xpcall(function()
                return plugin:new(own)
            end, debug.traceback)
            if ok then
                table.insert(made, { name = plugin.name, instance = instance })
            else
                logger.err("Failed to initialize", plugin.name, instance)
                table.insert(self.failures, instance)
            end
        end
    end
    return made
end

function PluginLoader:getPluginInstance(name)
    local ui = require("apps/reader/readerui").instance or require("apps/filemanager/filemanager").instance
    return ui and ui[name]
end

return PluginLoader
