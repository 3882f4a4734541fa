local support = require("support")
local Baseline = require("bookwake_baseline")
local Coalesce = require("bookwake_coalesce")

local digest = support.md5

local function entry(name, fields)
    local one = {
        name = name,
        type = "highlight",
        pos0 = "/body/DocFragment[1]/body/p[1]/text().0",
        pos1 = "/body/DocFragment[1]/body/p[1]/text().5",
        text = "words",
        colour = "yellow",
        style = "lighten",
        created_at = 1000,
        changed_at = 1000,
    }
    for key, value in pairs(fields or {}) do
        one[key] = value
    end
    return one
end

local function baseline_of(entries)
    local items = {}
    for _, one in ipairs(entries) do
        items[one.name] = Baseline.known_of(one, digest)
    end
    return items
end

local function diff(items, entries, options)
    options = options or {}
    options.now, options.digest = options.now or 5000, digest
    return Baseline.diff(items, entries, options)
end

describe("a fingerprint", function()
    it("is of what counts, in one spelling", function()
        local before = Baseline.fingerprint(entry("a"), digest)
        local function same(fields)
            return Baseline.fingerprint(entry("b", fields), digest) == before
        end
        assert.is_true(same({ pos0 = "/body[1]/DocFragment[1]/body[1]/p[1]/text()[1].0" }))
        assert.is_true(same({ changed_at = 2000, chapter = "Two" }))
        assert.is_false(same({ note = "x" }))
        assert.is_false(same({ colour = "red" }))
        assert.is_false(same({ style = "underscore" }))
        assert.is_false(same({ text = "other" }))
        assert.is_false(same({ pos1 = "/body/DocFragment[1]/body/p[1]/text().6" }))
    end)

    it("leaves out the words that KOReader puts on a bookmark", function()
        local one = entry("a", { type = "bookmark", text = "in Chapter 1" })
        local other = entry("a", { type = "bookmark", text = "im Kapitel 1" })
        assert.are.equal(Baseline.fingerprint(one, digest), Baseline.fingerprint(other, digest))
    end)
end)

describe("the difference", function()
    it("is nothing when nothing changed", function()
        local list = { entry("a"), entry("b", { note = "x" }) }
        assert.is_nil(diff(baseline_of(list), list))
    end)

    it("shows the edit of a note that KOReader neither tells nor dates", function()
        local body = diff(baseline_of({ entry("a", { note = "old" }) }), { entry("a", { note = "new" }) })
        assert.are.equal("new", body.changed[1].note)
        assert.are.equal(5000, body.changed[1].changed_at)
        assert.are.same({}, body.deleted)
    end)

    it("keeps the date of an edit that KOReader dated", function()
        local body = diff(baseline_of({ entry("a") }), { entry("a", { colour = "red", changed_at = 3000 }) })
        assert.are.equal(3000, body.changed[1].changed_at)
    end)

    it("has deletions, and says which a person was seen to make", function()
        local items = baseline_of({ entry("a"), entry("b"), entry("c"), entry("d"), entry("e"), entry("f") })
        local body = diff(items, { entry("a"), entry("b"), entry("c"), entry("d") }, { confirmed = { e = 4000 } })
        assert.are.same({ { name = "e", at = 4000, confirmed = true }, { name = "f", at = 5000 } }, body.deleted)
    end)

    it("holds many deletions that nobody was seen to make", function()
        local list, items = {}, nil
        for n = 1, 40 do
            list[n] = entry("n" .. n, { created_at = n })
        end
        items = baseline_of(list)
        local body, _, held = diff(items, {})
        assert.is_nil(body)
        assert.are.equal(40, #held)
        local some = { unpack(list, 1, 29) }
        body, _, held = diff(items, some)
        assert.is_nil(body)
        assert.are.equal(11, #held)
        body, _, held = diff(items, { unpack(list, 1, 30) })
        assert.are.equal(10, #body.deleted)
        assert.are.same({}, held)
        body = diff(items, some, { is_allowed = true })
        assert.are.equal(11, #body.deleted)
        assert.is_true(body.deleted[1].confirmed)
        -- A change beside them goes up all the same.
        some[1] = entry("n1", { created_at = 1, note = "x" })
        body, _, held = diff(items, some)
        assert.are.equal(1, #body.changed)
        assert.are.same({}, body.deleted)
        assert.are.equal(11, #held)
    end)

    it("of two lists brings one to the other", function()
        local chance = support.chance(9)
        for round = 1, 300 do
            local before, after, confirmed = {}, {}, {}
            for n = 1, chance(12) - 1 do
                before[n] = entry("n" .. n, { created_at = n, note = support.any_text(chance) })
            end
            for n, one in ipairs(before) do
                local what = chance(4)
                if what == 1 then
                    confirmed[one.name] = 4000
                elseif what == 2 then
                    after[#after + 1] = entry(one.name, { created_at = n, note = support.any_text(chance) })
                else
                    after[#after + 1] = one
                end
            end
            for n = 1, chance(4) - 1 do
                after[#after + 1] = entry("new" .. n, { created_at = 100 + n })
            end
            local items = baseline_of(before)
            local body, known = diff(items, after, { confirmed = confirmed })
            local operation = body and { kind = "annotations", body = body, known = known }
            local result = operation and Baseline.fold(items, operation) or items
            for name, one in pairs(baseline_of(after)) do
                assert.are.equal(one.f, result[name] and result[name].f, "round " .. round)
            end
            for name in pairs(confirmed) do
                assert.is_nil(result[name])
            end
            assert.is_nil((diff(result, after)))
        end
    end)
end)

describe("names", function()
    local count = 0
    local function new_name()
        count = count + 1
        return "new" .. count
    end

    it("come back to what has lost them", function()
        local items = baseline_of({ entry("a", { created_at = 1 }), entry("b", { created_at = 2 }) })
        local list = { entry(nil, { created_at = 2, pos0 = "/body[1]/DocFragment[1]/body[1]/p[1]/text()[1].0" }) }
        local named = Baseline.name(list, items, new_name)
        assert.are.equal("b", list[1].name)
        assert.are.equal(1, #named)
    end)

    it("are never given to two", function()
        local chance = support.chance(10)
        for _ = 1, 300 do
            local before, list = {}, {}
            for n = 1, chance(6) do
                before[n] = entry("n" .. n, { created_at = chance(3) })
            end
            local items = baseline_of(before)
            for n = 1, chance(10) do
                list[n] = entry(chance(2) == 1 and "n" .. chance(6) or nil, { created_at = chance(3) })
            end
            Baseline.name(list, items, new_name)
            local seen = {}
            for _, one in ipairs(list) do
                assert.is_string(one.name)
                assert.is_nil(seen[one.name])
                seen[one.name] = true
            end
            assert.are.same({}, Baseline.name(list, items, new_name))
        end
    end)
end)

describe("a sidecar", function()
    local record = { marker = "m", n = 3, dom = 20240114 }

    it("is bound only by the very marker and number", function()
        assert.are.equal("bound", Baseline.binding(record, { id = "m", n = 3 }, 3, 20240114))
        assert.are.equal("foreign", Baseline.binding(record, { id = "m", n = 2 }, 3, 20240114))
        assert.are.equal("foreign", Baseline.binding(record, { id = "m", n = 4 }, 3, 20240114))
        assert.are.equal("foreign", Baseline.binding(record, { id = "other", n = 3 }, 3, 20240114))
        assert.are.equal("foreign", Baseline.binding(record, nil, 3, 20240114))
        assert.are.equal("foreign", Baseline.binding(record, "text", 3, 20240114))
        assert.are.equal("foreign", Baseline.binding({}, { id = "m", n = 3 }, 0, 20240114))
        assert.are.equal("first", Baseline.binding({}, nil, 0, 20240114))
    end)

    it("is not bound any more when the engine spells positions anew", function()
        assert.are.equal("foreign", Baseline.binding(record, { id = "m", n = 3 }, 3, 20260812))
    end)
end)

describe("what waits in the outbox", function()
    it("counts as told", function()
        local whole, known = Baseline.whole({ entry("a"), entry("b") }, "foreign", digest)
        assert.is_true(whole.complete)
        assert.is_true(whole.foreign)
        local items, n = Baseline.view({ items = { old = { f = "x" } }, n = 1 }, {
            { kind = "annotations", body = whole, known = known, n = 2 },
            { kind = "progress", body = {} },
            {
                kind = "followed",
                body = { followed = { { name = "c", outcome = "placed" }, { name = "b", outcome = "removed" } } },
                known = { c = { f = "c" } },
                n = 3,
            },
            { kind = "annotations", body = { changed = {}, deleted = { { name = "a" } } }, known = {}, n = 4 },
        })
        assert.are.same({ c = { f = "c" } }, items)
        assert.are.equal(4, n)
    end)
end)

describe("one operation instead of two", function()
    it("tells the server the same", function()
        local chance = support.chance(11)
        for round = 1, 500 do
            local start = {}
            for n = 1, chance(5) - 1 do
                start[n] = entry("n" .. n, { created_at = n, note = tostring(chance(3)) })
            end
            local serial = 0
            local function change(list)
                local after, confirmed = {}, {}
                for n, one in ipairs(list) do
                    local what = chance(4)
                    if what == 1 then
                        confirmed[one.name] = 100 + n
                    elseif what == 2 then
                        after[#after + 1] = entry(one.name, { created_at = one.created_at, note = tostring(chance(3)) })
                    else
                        after[#after + 1] = one
                    end
                end
                for _ = 1, chance(3) - 1 do
                    serial = serial + 1
                    after[#after + 1] = entry("s" .. serial, { created_at = 1000 + serial })
                end
                return after, confirmed
            end
            local items = baseline_of(start)
            local middle, confirmed = change(start)
            local first, first_known = diff(items, middle, { confirmed = confirmed })
            local between = first and Baseline.fold(items, { kind = "annotations", body = first, known = first_known })
                or items
            local last
            last, confirmed = change(middle)
            local second, second_known = diff(between, last, { confirmed = confirmed })
            if first and second then
                local body, known = Coalesce.annotations(
                    { body = first, known = first_known },
                    { body = second, known = second_known },
                    items
                )
                local result = Baseline.fold(items, { kind = "annotations", body = body, known = known })
                local expected = baseline_of(last)
                for name, one in pairs(expected) do
                    assert.are.equal(one.f, result[name] and result[name].f, "round " .. round .. " " .. name)
                end
                for name in pairs(result) do
                    assert.is_not_nil(expected[name], "round " .. round .. " " .. name)
                end
                for _, one in ipairs(body.deleted) do
                    assert.is_not_nil(items[one.name])
                end
                local seen = {}
                for _, list in ipairs({ body.changed, body.deleted }) do
                    for _, one in ipairs(list) do
                        assert.is_nil(seen[one.name])
                        seen[one.name] = true
                    end
                end
            end
        end
    end)

    it("has the newest value of each field and the oldest base", function()
        local body, known = Coalesce.state(
            { body = { fields = { status = "complete", rating = 3 }, base = 4, by = "automatic" }, known = { n = 1 } },
            { body = { fields = { rating = 5, review = "good" }, base = 4, by = "person" }, known = { n = 2 } }
        )
        assert.are.same({ status = "complete", rating = 5, review = "good" }, body.fields)
        assert.are.equal(4, body.base)
        assert.are.equal("person", body.by)
        assert.are.same({ n = 2 }, known)
    end)
end)
