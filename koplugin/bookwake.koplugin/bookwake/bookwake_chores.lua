--- What is done by itself when nobody reads: reading history, backups, and the look for an update. Never while the file
-- manager was just opened, never without a network that is there anyway, and each not more often than it is worth.
local Backup = require("bookwake_backup")
local History = require("bookwake_history")
local Introduction = require("bookwake_introduction")
local NetworkMgr = require("ui/network/manager")
local Sidecar = require("bookwake_sidecar")
local UIManager = require("ui/uimanager")
local Update = require("bookwake_update")

local Chores = {}

local STATE = "chores.json"
local QUIET = 30 -- seconds after whatever happened
local TRIAL = 60 -- seconds that a new build has to run

local function history(plugin, on_done)
    History.exchange(plugin.core, {
        receive = plugin.settings:get("receive_history"),
        on_done = function(result)
            on_done(result.error)
        end,
    })
end

local function backups(plugin, on_done)
    Backup.all(plugin.core, Sidecar.opened_books(), {
        on_done = function(result)
            on_done(result.error)
        end,
    })
end

local function look_for_update(plugin, on_done)
    local body = Introduction.of_this_reader()
    body.protocols = { 1 }
    plugin.server:ask({
        path = "hello",
        body = body,
        on_done = function(answer, err)
            if answer then
                plugin.device:set({ update = answer.update or false })
            end
            on_done(err)
        end,
    })
end

-- Key of the job, the setting that allows it, seconds between two, and the work.
local LIST = {
    { "history", "send_history", 3600, history },
    { "backups", "backups", 6 * 3600, backups },
    { "update", "check_updates", 24 * 3600, look_for_update },
}

local function is_quiet(plugin)
    return plugin.device:is_paired()
        and NetworkMgr:isConnected()
        and require("apps/reader/readerui").instance == nil
        and not plugin.is_gone
end

--- Does what is due now.
function Chores.run(plugin)
    if not is_quiet(plugin) then
        return
    end
    local now = os.time()
    for __, chore in ipairs(LIST) do
        local key, allowed, pause, work = chore[1], chore[2], chore[3], chore[4]
        local state = plugin.core.store:read(STATE) or {}
        local last = state[key] or 0
        -- A clock that was set back is no reason to wait for years.
        if plugin.settings:get(allowed) and (now - last >= pause or last > now) then
            plugin.scheduler:submit({
                key = key,
                priority = "automatic",
                start = function(finish)
                    if not is_quiet(plugin) then
                        return finish()
                    end
                    return work(plugin, function(err)
                        if not err then
                            local kept = plugin.core.store:read(STATE) or {}
                            kept[key] = os.time()
                            plugin.core.store:write(STATE, kept)
                        end
                        finish(err)
                    end)
                end,
            })
        end
    end
end

--- Soon, when it is quiet: called for a new instance in the file manager, a network, a charger.
function Chores.later(plugin)
    if plugin.chores then
        UIManager:unschedule(plugin.chores)
    end
    plugin.chores = function()
        plugin.chores = nil
        local ok, err = pcall(Chores.run, plugin)
        if not ok then
            require("logger").err("Bookwake: chores failed:", err)
        end
    end
    UIManager:scheduleIn(QUIET, plugin.chores)
end

--- At the start of an instance.
function Chores.begin(plugin)
    if not Chores.confirming then
        Chores.confirming = true
        UIManager:scheduleIn(TRIAL, function()
            pcall(Update.confirm)
        end)
    end
    if not plugin.ui.document then
        Chores.later(plugin)
    end
end

--- At the end of an instance.
function Chores.stop(plugin)
    plugin.is_gone = true
    if plugin.chores then
        UIManager:unschedule(plugin.chores)
        plugin.chores = nil
    end
end

return Chores
