local support = require("support")

describe("JSON", function()
    local json = support.json()

    it("has no nulls, whose value counts as true in Lua", function()
        assert.are.same({ a = 1, c = { d = {} } }, json.decode('{"a": 1, "b": null, "c": {"d": {"e": null}}}'))
        assert.are.same({ 1, 3 }, json.decode("[1, null, 3]"))
    end)

    it("says what is no object", function()
        for _, text in ipairs({ "", "<html>", "17", '"a"', "null", "{", '{"a": }' }) do
            local value, err = json.decode(text)
            assert.is_nil(value)
            assert.is_string(err)
        end
    end)

    it("never fails on what it is to encode", function()
        local text = json.encode({ a = 0 / 0, b = math.huge, c = "x\255", d = function() end, e = { 1, 2 }, f = "\0" })
        assert.are.same({ c = "x\239\191\189", e = { 1, 2 }, f = "" }, json.decode(text))
        local loop = {}
        loop.loop = loop
        assert.is_string(json.encode(loop))
    end)

    it("gives back what it was given", function()
        local chance = support.chance(5)
        for _ = 1, 500 do
            local value = { list = {}, [support.any_text(chance)] = support.any_text(chance) }
            for i = 1, chance(5) - 1 do
                value.list[i] = { text = support.any_text(chance), n = chance(100000), yes = chance(2) == 1 }
            end
            assert.are.same(value, json.decode(json.encode(value)))
        end
    end)
end)
