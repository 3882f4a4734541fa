require("support")
local Scheduler = require("bookwake_scheduler")

local function world()
    local now, timers, log = 0, {}, {}
    local world = { log = log, probe_error = nil, probes = 0 }
    world.scheduler = Scheduler.new({
        clock = function()
            return now
        end,
        later = function(seconds, fn)
            table.insert(timers, { at = now + seconds, fn = fn })
        end,
        chance = function()
            return 0.5
        end,
        probe = function(done)
            world.probes = world.probes + 1
            done(world.probe_error)
        end,
    })
    function world.pass(seconds)
        local goal = now + seconds
        while true do
            local first
            for index, timer in ipairs(timers) do
                if timer.at <= goal and (not first or timer.at < timers[first].at) then
                    first = index
                end
            end
            if not first then
                break
            end
            local timer = table.remove(timers, first)
            now = timer.at
            timer.fn()
        end
        now = goal
    end
    function world.job(key, priority, err)
        world.scheduler:submit({
            key = key,
            priority = priority,
            start = function(finish)
                table.insert(log, key)
                if err == "wait" then
                    world.finish = finish
                else
                    finish(err)
                end
            end,
        })
    end
    return world
end

describe("the scheduler", function()
    it("runs one at a time, a person's first", function()
        local w = world()
        w.job("a", "automatic", "wait")
        w.job("b", "automatic")
        w.job("c", "lifecycle")
        w.job("d", "manual")
        assert.are.same({ "a" }, w.log)
        w.finish()
        assert.are.same({ "a", "d", "c", "b" }, w.log)
    end)

    it("makes one of what waits for the same", function()
        local w = world()
        w.job("a", "automatic", "wait")
        w.job("b", "manual")
        w.job("b", "automatic")
        w.job("c", "lifecycle")
        w.finish()
        assert.are.same({ "a", "b", "c" }, w.log)
    end)

    it("leaves a server in peace that does not answer, longer each time", function()
        local w = world()
        local fail = { class = "transport" }
        local waits = {}
        for n = 1, 7 do
            w.job("a" .. n, "automatic", fail)
            waits[n] = w.scheduler:waits()
            w.pass(waits[n] + 1)
        end
        assert.are.same({ 5, 15, 60, 300, 900, 900, 900 }, waits)
    end)

    it("asks first whether anybody is there after three failures", function()
        local w = world()
        for n = 1, 3 do
            w.job("a" .. n, "automatic", { class = "transport" })
            w.pass(100)
        end
        assert.are.equal(0, w.probes)
        w.probe_error = { class = "transport" }
        w.job("b", "automatic")
        assert.are.same({ "a1", "a2", "a3" }, w.log)
        assert.are.equal(1, w.probes)
        w.probe_error = nil
        w.pass(1000)
        assert.are.same({ "a1", "a2", "a3", "b" }, w.log)
        assert.are.equal(2, w.probes)
    end)

    it("tries what a person asks for at once", function()
        local w = world()
        w.job("a", "automatic", { class = "failed" })
        w.job("b", "automatic")
        w.job("c", "manual", { class = "failed" })
        assert.are.same({ "a", "c" }, w.log)
    end)

    it("waits as long as the server says", function()
        local w = world()
        w.job("a", "automatic", { class = "later", retry_after = 120 })
        assert.are.equal(120, w.scheduler:waits())
        w.job("b", "automatic")
        w.pass(119)
        assert.are.same({ "a" }, w.log)
        w.pass(2)
        assert.are.same({ "a", "b" }, w.log)
    end)

    it("forgets failures on another network, and after success", function()
        local w = world()
        w.job("a", "automatic", { class = "transport" })
        w.job("b", "automatic")
        w.scheduler:network_changed()
        assert.are.same({ "a", "b" }, w.log)
        w.job("c", "automatic", { class = "refused" })
        assert.are.equal(0, w.scheduler:waits())
    end)

    it("does not mind a job that finishes twice", function()
        local w = world()
        w.job("a", "automatic", "wait")
        w.job("b", "automatic")
        w.finish()
        w.finish({ class = "transport" })
        assert.are.equal(0, w.scheduler:waits())
    end)
end)
