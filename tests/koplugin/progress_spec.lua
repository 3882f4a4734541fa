require("support")
package.preload["ui/event"] = package.preload["ui/event"] or function()
    return {}
end
local Progress = require("bookwake_progress")
local Tracker = require("bookwake_tracker")

local PLACE = { version = 10, locator = "/body/DocFragment[2]/body/p[3]/text().5", percent = 0.5, at = 2000 }
local HERE = {
    locator = "/body/DocFragment[1]/body/p[1]/text().0",
    percent = 0.2,
    told = 5,
    read_at = 1000,
    turned = 0,
    since_open = 3,
}
local ALWAYS = { newer = "silently", older = "silently" }

local function decide(place, here, settings)
    local p, h = {}, {}
    for key, value in pairs(PLACE) do
        p[key] = value
    end
    for key, value in pairs(place or {}) do
        p[key] = value or nil
    end
    for key, value in pairs(HERE) do
        h[key] = value
    end
    for key, value in pairs(here or {}) do
        h[key] = value or nil
    end
    return (Progress.decide(p, h, settings or ALWAYS))
end

describe("Whether to go to another place", function()
    it("is decided for a place that is new, exact, elsewhere and read later", function()
        assert.equal("jump", decide())
        assert.equal("nothing", decide({ here = true }))
        assert.equal("nothing", decide({ version = 5 }))
        assert.equal("nothing", decide({ locator = false }))
        assert.equal("nothing", (Progress.decide(nil, HERE, ALWAYS)))
        assert.equal("same", decide({ locator = HERE.locator }))
        assert.equal("same", decide({ locator = "/body[1]/DocFragment[1]/body[1]/p[1]/text()[1].0" }))
    end)

    it("goes by itself only at once, before a page is turned", function()
        assert.equal("ask", decide(nil, { turned = 1 }))
        assert.equal("ask", decide(nil, { since_open = 61 }))
        assert.equal("ask", decide({ at = 999 })) -- read here later
    end)

    it("follows the person's wish, for places further on and further back", function()
        local wishes = { newer = "ask", older = "never" }
        assert.equal("ask", decide(nil, nil, wishes))
        assert.equal("nothing", decide({ percent = 0.1 }, nil, wishes))
        assert.equal("jump", decide({ percent = 0.1 }, nil, { newer = "never", older = "silently" }))
        assert.equal("nothing", decide(nil, nil, { newer = "never", older = "silently" }))
    end)

    it("needs no memory of what was read here before", function()
        assert.equal("jump", decide(nil, { told = false, read_at = false }))
        assert.equal("jump", decide({ at = false }))
    end)
end)

describe("What is counted", function()
    local now
    local function tracker(page)
        now = 1000
        return Tracker.new(function()
            return now
        end, page)
    end

    it("is pages turned, not repeated, unknown or leapt over", function()
        local t = tracker(5)
        t:page(5)
        t:page(nil)
        t:page(false)
        assert.is_nil(t:take())
        t:page(6)
        assert.equal("read", t.act)
        t:page(60)
        assert.equal("jumped", t:take())
        assert.is_nil(t:take())
        t:page(61)
        t:page(60)
        assert.equal("read", t:take())
        assert.equal(3, t.turned)
    end)

    it("leaves out what the plugin itself does, and other layouts", function()
        local t = tracker(5)
        t:moving(function()
            t:page(80)
        end)
        t:rerendered()
        t:page(160)
        assert.is_nil(t:take())
        assert.has_error(function()
            t:moving(function()
                error("x")
            end)
        end)
        t:page(161)
        assert.equal("read", t:take())
    end)

    it("is seconds of reading, a page at most two minutes", function()
        local t = tracker(1)
        for page = 2, 4 do
            now = now + 30
            t:page(page)
        end
        now = now + 3600
        t:page(5)
        t:pause()
        now = now + 36000
        t:resume()
        now = now + 10
        local session = t:finish()
        assert.equal(1000, session.started)
        assert.equal(90 + 120 + 10, session.seconds)
        now = now + 5
        assert.is_nil(t:finish())
    end)

    it("does not mind a clock that is set back", function()
        local t = tracker(1)
        now = 500
        t:page(2)
        now = 520
        t:page(3)
        assert.equal(20, t:finish().seconds)
    end)
end)
