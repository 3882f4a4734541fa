local support = require("support")
local Text = require("bookwake_text")

local function is_utf8(text)
    local ok = pcall(require("cjson").decode, '["' .. text:gsub('[%c"\\]', "") .. '"]')
    return ok and not text:find("[\192\193\245-\255]") and not text:find("\237[\160-\191]") and not text:find("%z")
end

describe("text", function()
    it("is made valid, and valid text stays as it is", function()
        assert.are.equal("naïve 日本 🙂", Text.utf8("naïve 日本 🙂"))
        assert.are.equal("a\239\191\189b", Text.utf8("a\255b"))
        assert.are.equal("ab", Text.utf8("a\0b"))
        assert.are.equal("\239\191\189\239\191\189", Text.utf8("\192\128"))
        assert.are.equal("\239\191\189\239\191\189\239\191\189", Text.utf8("\237\160\128"))
        local chance = support.chance(1)
        for _ = 1, 2000 do
            local text = support.any_text(chance, true)
            local once = Text.utf8(text)
            assert.is_true(is_utf8(once))
            assert.are.equal(once, Text.utf8(once))
            local valid = support.any_text(chance)
            assert.are.equal(valid, Text.utf8(valid))
        end
    end)

    it("is cut at characters", function()
        assert.are.equal("日本", Text.first("日本語", 2))
        assert.are.equal("本語", Text.last("日本語", 2))
        assert.are.equal(3, Text.length("日本語"))
        local chance = support.chance(2)
        for _ = 1, 1000 do
            local text = support.any_text(chance)
            local length = Text.length(text)
            local n = chance(length + 2) - 1
            assert.are.equal(text, Text.first(text, n) .. Text.last(text, math.max(0, length - n)))
            assert.are.equal(math.min(n, length), Text.length(Text.first(text, n)))
        end
    end)

    it("is the same whatever soft hyphens and white space are in it", function()
        assert.are.equal("same", Text.verify("in\194\173ter\194\160val  of\nlight ", "inter val of light"))
        assert.are.equal("alike", Text.verify("“Don’t” — go…", "\"Don't\" - go..."))
        assert.are.equal("alike", Text.verify("one.\nTwo", "one.Two"))
        assert.are.equal("different", Text.verify("one", "two"))
        assert.are.equal("different", Text.verify("", "two"))
        local chance = support.chance(3)
        for _ = 1, 1000 do
            local text = support.any_text(chance)
            local once = Text.normalise(text)
            assert.are.equal(once, Text.normalise(once))
            assert.are.equal("same", Text.verify(text, text))
            assert.are.equal("same", Text.verify(" " .. text:gsub(" ", " \194\173\n"), text))
        end
    end)
end)

describe("choosing among places with the same words", function()
    it("takes a single one unless all around it is different", function()
        assert.are.equal(1, Text.choose({ { before = "", after = "" } }, "x", "y"))
        assert.are.equal(1, Text.choose({ { before = "of the", after = "rain" } }, "of the", "other"))
        local index, why = Text.choose({ { before = "quite", after = "different" } }, "of the", "rain")
        assert.is_nil(index)
        assert.are.equal("not-found", why)
    end)

    it("takes of several only the one that its surroundings tell apart", function()
        local hits = { { before = "first", after = "x" }, { before = "second", after = "x" } }
        assert.are.equal(2, Text.choose(hits, "the second", "x y"))
        assert.are.same({ nil, "ambiguous" }, { Text.choose(hits, nil, "x") })
        assert.are.same({ nil, "ambiguous" }, { Text.choose(hits, "third", "z") })
        assert.are.same({ nil, "not-found" }, { Text.choose({}, "a", "b") })
    end)
end)
