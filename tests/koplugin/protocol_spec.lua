local support = require("support")
local Protocol = require("bookwake_protocol")
local json = support.json()

local function read(status, body, headers)
    local answer, err = Protocol.read({ status = status, body = body, headers = headers or {} }, json.decode)
    return answer, err and err.class, err
end

describe("an answer", function()
    it("is understood", function()
        assert.are.same({ a = 1 }, (read(200, '{"a": 1, "b": null}')))
        for _, case in ipairs({
            { 401, '{"error": "unknown-token"}', "unpaired" },
            { 404, '{"error": "no-such-book"}', "refused" },
            { 400, '{"error": "bad"}', "refused" },
            { 413, "<html>too large</html>", "too-much" },
            { 426, '{"error": "too-old", "minimum": "2.0"}', "too-old" },
            { 429, '{"error": "later"}', "later" },
            { 502, "<html>bad gateway</html>", "later" },
            { 503, "", "later" },
            { 500, "oops", "failed" },
        }) do
            assert.are.same({ nil, case[3] }, { (read(case[1], case[2])), (select(2, read(case[1], case[2]))) })
        end
        assert.are.equal(30, select(3, read(503, "", { ["retry-after"] = "30" })).retry_after)
        assert.are.equal("2.0", select(3, read(426, '{"error": "x", "minimum": "2.0"}')).minimum)
        assert.are.equal("transport", select(2, Protocol.read(nil, json.decode)).class)
    end)

    it("from a captive portal or another server is none", function()
        for _, case in ipairs({
            { 200, "<html>Please log in</html>" },
            { 200, "" },
            { 200, "null" },
            { 200, '"ok"' },
            { 302, "" },
            { 301, '{"a": 1}' },
            { 401, "<html>password</html>" },
            { 403, "Forbidden" },
            { 404, "not found" },
            { 200, '{"answers": [' },
        }) do
            assert.are.equal("foreign", select(2, read(case[1], case[2])), case[1] .. " " .. case[2])
        end
    end)
end)

describe("sync", function()
    local function operations(count, size)
        local list = {}
        for n = 1, count do
            list[n] = { id = "id" .. n, kind = "state", file = "f", at = n, body = { padding = ("x"):rep(size or 1) } }
        end
        return list
    end

    it("holds as many operations as fit, and at least one", function()
        local text, sent = Protocol.sync(operations(3), { "a", "b" }, json.encode, 200, { clock = 17 })
        local body = json.decode(text)
        assert.are.equal(17, body.clock)
        assert.are.same({ { file = "a" }, { file = "b" } }, body.pull)
        assert.are.equal(3, #body.operations)
        assert.are.equal("id2", body.operations[2].id)
        assert.are.equal(2, body.operations[2].at)
        assert.are.equal("state", body.operations[2].kind)
        assert.are.equal(3, #sent)
        text, sent = Protocol.sync(operations(300), {}, json.encode, 1000, { clock = 1 })
        assert.are.equal(200, #sent)
        assert.is_nil(json.decode(text).pull)
        _, sent = Protocol.sync(operations(300, 10000), {}, json.encode, 200, { clock = 1 })
        assert.is_true(#sent > 40 and #sent < 50)
        _, sent = Protocol.sync(operations(2, 900000), {}, json.encode, 200, { clock = 1 })
        assert.are.equal(1, #sent)
        text, sent = Protocol.sync({}, { "a" }, json.encode, 200, { clock = 1 })
        assert.are.equal(0, #sent)
        assert.are.same({}, json.decode(text).operations)
    end)

    it("is answered only by an answer to each, in order", function()
        local sent = operations(2)
        local function answers(a, b)
            return { answers = { { id = a, outcome = "current" }, { id = b, outcome = "echo" } } }
        end
        assert.is_nil(Protocol.check(answers("id1", "id2"), sent, {}))
        assert.is_string(Protocol.check(answers("id2", "id1"), sent, {}))
        assert.is_string(Protocol.check({ answers = {} }, sent, {}))
        assert.is_string(Protocol.check({}, sent, {}))
        assert.is_string(Protocol.check({ answers = { { id = "id1", outcome = "fine" }, { id = "id2" } } }, sent, {}))
        assert.is_nil(Protocol.check({ answers = {}, pulled = { { file = "a" } } }, {}, { "a" }))
        assert.is_string(Protocol.check({ answers = {}, pulled = { { file = "b" } } }, {}, { "a" }))
        assert.is_string(Protocol.check({ answers = {}, pulled = {} }, {}, { "a" }))
        assert.is_string(Protocol.check({ server = "other" }, {}, {}))
    end)

    it("never fails on what a server may answer", function()
        local chance = support.chance(13)
        local sent = operations(2)
        local values = { 1, "x", true, {}, { {} }, { 1, 2 }, { { id = "id1", outcome = "current" } }, -1, 0.5 }
        for _ = 1, 1000 do
            local answer = { answers = values[chance(#values)], pulled = values[chance(#values)] }
            Protocol.check(answer, sent, { "a" })
            local given = {}
            for _, name in ipairs({ "do", "name", "version", "type", "pos0", "pos1", "text", "note", "created_at" }) do
                if chance(3) > 1 then
                    given[name] = values[chance(#values)]
                end
            end
            if chance(2) == 1 then
                given["do"], given.name, given.version, given.type = "give", "n", 3, "highlight"
            end
            local one = Protocol.instruction(given)
            if one and one["do"] == "give" then
                assert.is_string(one.pos0)
                assert.is_true(one.note == nil or type(one.note) == "string")
            end
            Protocol.place({ version = values[chance(#values)], percent = values[chance(#values)], locator = {} })
        end
        assert.is_nil(Protocol.instruction(nil))
        assert.is_nil(Protocol.instruction({ ["do"] = "give", name = "n", version = 1, type = "highlight", pos0 = "/a" }))
        assert.is_nil(Protocol.place({ version = 1, percent = 2 }))
        assert.is_nil(Protocol.place({ version = 1, percent = 0.5, locator = 7 }).locator)
    end)
end)
