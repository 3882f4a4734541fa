-- Settings files are read as data: what KOReader writes comes back, and nothing is run.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path

local support = require("support")
local LuaTable = require("bookwake_lua_table")

local function read(text)
    return LuaTable.parse(text)
end

describe("Settings files as data", function()
    it("reads what KOReader writes", function()
        local value = read([[
-- /books/a b.sdr/metadata.epub.lua
return {
    ["annotations"] = {
        [1] = {
            ["text"] = "line one\
line two \"quoted\" \\ \0 \r end",
            ["pageno"] = 17,
        },
    },
    ["percent_finished"] = 0.42727272727273,
    ["big"] = 1e+15,
    ["negative"] = -3,
    ["yes"] = true,
    [true] = false,
}
]])
        assert.equal('line one\nline two "quoted" \\ \0 \r end', value.annotations[1].text)
        assert.equal(0.42727272727273, value.percent_finished)
        assert.equal(1e15, value.big)
        assert.equal(-3, value.negative)
        assert.equal(false, value[true])
    end)

    it("reads what a person may write by hand", function()
        local value = read("return { a = 'x', b = [[long]], c = { 1, 2; 3 }, --[[ no ]] d = 0x10, e = nil, [\"f g\"] = {} }") -- luacheck: ignore 631
        assert.same({ a = "x", b = "long", c = { 1, 2, 3 }, d = 16, ["f g"] = {} }, value)
    end)

    it("refuses everything that would do something", function()
        for _, text in ipairs({
            "return os.execute('rm -rf /')",
            "return { a = os.time() }",
            "return { a = (function() end)() }",
            "os.exit() return {}",
            "return {} os.exit()",
            "return { [print('x')] = 1 }",
            "return setmetatable({}, {})",
            "return { a = b }",
            "return { a = 1 + 1 }",
            "return { a = 'x' .. 'y' }",
            "return { a = -x }",
            "return { a = ... }",
            "return function() end",
            "\27LJ\2",
            "",
            "return",
            "return {",
            "return { a = }",
            "return { 'open }",
            "return { [nil] = 1 }",
            "return { a = 1e }",
            "return { a = '\\300' }",
            "return { a = 12abc }",
            "return " .. ("{"):rep(100) .. ("}"):rep(100),
        }) do
            local value, why = read(text)
            assert.is_nil(value, text)
            assert.equal("string", type(why))
        end
    end)

    it("gives back any data, as Lua itself would read it", function()
        local chance = support.chance(11)
        local function any(depth)
            local kind = chance(depth > 3 and 4 or 6)
            if kind == 1 then
                return chance(1000000) / chance(1000)
            elseif kind == 2 then
                return chance(2) == 1
            elseif kind <= 4 then
                return support.any_text(chance, true)
            end
            local made = {}
            for i = 1, chance(5) - 1 do
                if chance(2) == 1 then
                    made[i] = any(depth + 1)
                else
                    made[support.any_text(chance, true)] = any(depth + 1)
                end
            end
            return made
        end
        for _ = 1, 300 do
            local value = { any(1), x = any(1) }
            local source = LuaTable.source(value, "/books/x.lua")
            assert.same(value, (LuaTable.parse(source)))
            assert.same(value, assert(loadstring(source))())
            assert.equal(source, LuaTable.source(LuaTable.parse(source), "/books/x.lua"))
        end
    end)

    it("never fails on broken text but by saying so", function()
        local chance = support.chance(5)
        local pieces = { "return", "{", "}", "[", "]", "=", ",", '"', "\\", "\n", "--", "[[", "]]", "nil", "1", "-", "a", " " } -- luacheck: ignore 631
        for _ = 1, 5000 do
            local text = {}
            for i = 1, chance(14) do
                text[i] = pieces[chance(#pieces)]
            end
            local value, why = LuaTable.parse(table.concat(text))
            assert.is_true(value ~= nil or type(why) == "string")
        end
    end)

    it("writes numbers that can be read again, whatever they are", function()
        local source = LuaTable.source({ 0 / 0, math.huge, -math.huge, 1 / 3, 2 ^ 53 }, "x\ny")
        assert.same({ 0, 0, 0, 1 / 3, 2 ^ 53 }, loadstring(source)())
        assert.has_error(function()
            LuaTable.source({ print }, "x")
        end)
    end)
end)
