-- Work in a forked process: a real fork, in the loop of the stand-in.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path
require("support")
local koreader = require("koreader")

describe("Work in the background", function()
    local T, background, ffiutil, held

    before_each(function()
        T = koreader.start({ plugins = {} })
        ffiutil = require("ffi/util")
        ffiutil.patience = 2000
        held = 0
        local UIManager = require("ui/uimanager")
        background = require("bookwake_background").new({
            ffiutil = ffiutil,
            later = function(seconds, fn)
                UIManager:scheduleIn(seconds, fn)
            end,
            clock = function()
                return UIManager.elapsed
            end,
            hold = function(is_on)
                held = held + (is_on and 1 or -1)
            end,
        })
    end)

    after_each(koreader.stop)

    local function run(task, seconds)
        local done
        background:run(task, seconds or 60, function(text, why)
            assert.is_nil(done, "told twice")
            done = { text = text, why = why }
        end)
        T.waitfor(function()
            return done
        end, 120)
        T.wait(5)
        assert.equal(0, held)
        return done.text, done.why
    end

    it("gives back what the child said, however long", function()
        assert.equal("x", run(function()
            return "x"
        end))
        local long = ("0123456789"):rep(100000)
        assert.equal(long, run(function()
            return long
        end))
    end)

    it("changes nothing in the parent", function()
        local value = 1
        run(function()
            value = 2
            return "x"
        end)
        assert.equal(1, value)
    end)

    it("says when the child died, failed or returned nothing", function()
        for _, task in ipairs({
            function()
                error("no")
            end,
            function() end,
            function()
                require("ffi").C._exit(1)
            end,
        }) do
            assert.same({ nil, "died" }, { run(task) })
        end
    end)

    it("kills a child that takes too long, and goes on", function()
        ffiutil.patience = 50
        assert.same({ nil, "timeout" }, { run(function()
            require("socket").sleep(60)
            return "late"
        end, 2) })
        ffiutil.patience = 2000
        assert.equal("x", run(function()
            return "x"
        end))
    end)

    it("does nothing where there is no memory for a fork", function()
        ffiutil.runInSubProcess = function()
            return false, "fork failed"
        end
        local ran = false
        assert.same({ nil, "fork" }, { run(function()
            ran = true
        end) })
        assert.is_false(ran)
    end)

    it("can be stopped, and then says nothing", function()
        local stop = background:run(function()
            require("socket").sleep(60)
        end, 60, function()
            error("told")
        end)
        ffiutil.patience = 50
        T.wait(1)
        stop()
        stop()
        T.wait(10)
        assert.equal(0, held)
    end)
end)
