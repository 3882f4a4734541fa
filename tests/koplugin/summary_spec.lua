local support = require("support")
local Summary = require("bookwake_summary")

describe("status, rating and review", function()
    it("are read from whatever a sidecar has", function()
        assert.are.same({ rating = 0, review = "" }, Summary.read(nil))
        assert.are.same({ rating = 0, review = "" }, Summary.read({ status = "new", rating = "x", note = 7 }))
        assert.are.same(
            { status = "complete", rating = 5, review = "good" },
            Summary.read({ status = "complete", rating = 9, note = "good" })
        )
    end)

    it("that KOReader gives by opening are no change", function()
        assert.is_nil(Summary.diff({}, Summary.read({ status = "reading" }), "first"))
        assert.is_nil(Summary.diff({ status = "new" }, Summary.read({ status = "reading" }), "bound"))
        assert.is_nil(Summary.diff({ status = "complete", rating = 5 }, Summary.read({ status = "reading" }), "foreign"))
    end)

    it("that a person changed are", function()
        local was = { status = "complete", rating = 5, review = "good" }
        assert.are.same({ status = "reading" }, Summary.diff(was, { status = "reading", rating = 5, review = "good" }, "bound"))
        assert.are.same({ rating = 0 }, Summary.diff(was, { status = "complete", rating = 0, review = "good" }, "bound"))
        assert.are.same({ review = "" }, Summary.diff(was, { status = "complete", rating = 5, review = "" }, "bound"))
        assert.are.same({ status = "abandoned", rating = 2 }, Summary.diff({}, { status = "abandoned", rating = 2, review = "" }, "first"))
    end)

    it("once taken over are no change, and are not taken again", function()
        local chance = support.chance(12)
        local statuses = { "reading", "complete", "abandoned", "new" }
        for _ = 1, 500 do
            local state = { status = statuses[chance(4)], rating = chance(6) - 1, review = support.any_text(chance) }
            local summary = { status = statuses[chance(3)], rating = chance(6) - 1, note = support.any_text(chance) }
            local change = Summary.take(Summary.read(summary), state)
            for name, value in pairs(change or {}) do
                summary[name] = value or nil
            end
            local now = Summary.read(summary)
            assert.is_nil(Summary.take(now, state))
            assert.are.equal(state.rating, now.rating)
            assert.are.equal(state.review, now.review)
            if state.status ~= "new" then
                assert.are.equal(state.status, now.status)
                assert.is_nil(Summary.diff(now, now, "bound"))
            end
        end
    end)

    it("of which some are out of range do not break anything", function()
        assert.is_nil(Summary.take(Summary.read({ status = "reading" }), { status = "odd", rating = "x", review = 4 }))
        assert.are.same({ rating = 5 }, Summary.take(Summary.read({}), { rating = 77 }))
    end)
end)
