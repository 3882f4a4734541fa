local support = require("support")
local Outbox = require("bookwake_outbox")

local function open(root)
    local device, store = support.device(root)
    return Outbox.open({ store = store, device = device, clock = os.time }), store
end

local function ids(operations)
    local list = {}
    for index, one in ipairs(operations) do
        list[index] = one.id
    end
    return list
end

describe("the outbox", function()
    after_each(support.clean)

    it("keeps the order, over restarts", function()
        local root = support.folder()
        local outbox = open(root)
        for n = 1, 12 do
            assert(outbox:add({ kind = n % 2 == 0 and "state" or "progress", file = "f" .. n % 3, body = { n = n } }))
        end
        local before = ids(outbox.operations)
        outbox = open(root)
        assert.are.same(before, ids(outbox.operations))
        outbox:add({ kind = "progress", file = "f1", body = { n = 13 } })
        assert.are.equal(13, outbox.operations[13].body.n)
        local total, by_kind = outbox:count()
        assert.are.equal(13, total)
        assert.are.same({ progress = 7, state = 6 }, by_kind)
    end)

    it("keeps the order although the counter's file is lost", function()
        local root = support.folder()
        local outbox = open(root)
        for n = 1, 5 do
            outbox:add({ kind = "state", file = "f", body = { n = n } })
        end
        os.remove(root .. "/device.json")
        outbox = open(root)
        outbox:add({ kind = "state", file = "f", body = { n = 6 } })
        outbox = open(root)
        assert.are.equal(6, outbox.operations[6].body.n)
    end)

    it("changes no operation that may have been sent", function()
        local root = support.folder()
        local outbox = open(root)
        local first = outbox:add({ kind = "state", file = "f", body = { n = 1 } })
        assert.are.equal(first, outbox:replaceable("f", "state"))
        outbox:take(10)
        assert.is_nil(outbox:replaceable("f", "state"))
        assert.has_error(function()
            outbox:add({ kind = "state", file = "f", body = { n = 2 } }, first)
        end)
        outbox = open(root)
        assert.is_nil(outbox:replaceable("f", "state"))
    end)

    it("replaces without a moment in which neither is there", function()
        local root = support.folder()
        local outbox, store = open(root)
        local first = outbox:add({ kind = "state", file = "f", body = { n = 1 } })
        local names = {}
        local remove = store.remove
        store.remove = function(self, name)
            names = self:list("outbox")
            return remove(self, name)
        end
        outbox:add({ kind = "state", file = "f", body = { n = 2 } }, first)
        assert.are.equal(2, #names)
        assert.are.equal(1, #outbox.operations)
        assert.are.equal(1, #open(root).operations)
    end)

    it("says so when the card is full, and has nothing half", function()
        local root = support.folder()
        local outbox, store = open(root)
        outbox:add({ kind = "state", file = "f", body = { n = 1 } })
        store.write = function()
            return nil, "No space left on device"
        end
        local operation, err = outbox:add({ kind = "state", file = "f", body = { n = 2 } })
        assert.is_nil(operation)
        assert.are.equal("No space left on device", err)
        assert.are.equal(1, #outbox.operations)
    end)

    it("puts aside what the server will never take", function()
        local root = support.folder()
        local outbox, store = open(root)
        local first = outbox:add({ kind = "state", file = "f", body = { n = 1 } })
        outbox:add({ kind = "state", file = "f", body = { n = 2 } })
        outbox:reject(first, "bad-locator")
        assert.are.equal(1, #outbox.operations)
        assert.are.equal("bad-locator", store:read("rejected/" .. first.name).reason)
    end)

    it("drops only places that newer ones have overtaken", function()
        local root = support.folder()
        local outbox = open(root)
        local most = Outbox.MOST
        Outbox.MOST = 20
        for n = 1, 15 do
            outbox:add({ kind = "progress", file = "f" .. n % 2, body = { n = n } })
            outbox:add({ kind = "annotations", file = "f", body = { n = n } })
            outbox:add({ kind = "session", file = "f", body = { n = n } })
        end
        Outbox.MOST = most
        local _, by_kind = outbox:count()
        assert.are.same({ progress = 2, annotations = 15, session = 15 }, by_kind)
        assert.are.equal(15, outbox:of("f1", "progress")[1].body.n)
        assert.are.equal(14, outbox:of("f0", "progress")[1].body.n)
    end)

    it("loses nothing that was added, whenever its process is killed", function()
        local root = support.folder()
        local chance = support.chance(8)
        local files = support.files()
        open(root)
        local function added()
            return select(2, (files.read(root .. "/added") or ""):gsub("\n", ""))
        end
        local function add()
            local outbox = open(root)
            while true do
                local operation = outbox:add({ kind = "state", file = "f", body = { n = 1 } })
                local log = io.open(root .. "/added", "ab")
                log:write(operation.id .. "\n")
                log:close()
                if #outbox.operations > 40 then
                    local done = outbox.operations[1]
                    log = io.open(root .. "/removed", "ab")
                    log:write(done.id .. "\n")
                    log:close()
                    outbox:remove(done)
                end
            end
        end
        for round = 1, 25 do
            support.kill_while(add, round, chance, added)
        end
        local outbox, store = open(root)
        local there, seen, count = {}, {}, 0
        for _, operation in ipairs(outbox.operations) do
            there[operation.id] = true
        end
        for id in (files.read(root .. "/removed") or ""):gmatch("[^\n]+") do
            there[id] = true
        end
        for id in files.read(root .. "/added"):gmatch("([^\n]+)\n") do
            assert.is_nil(seen[id], "an id was used twice")
            seen[id] = true
            assert.is_true(there[id], id .. " was lost")
            count = count + 1
        end
        assert.are.same({}, store.quarantined)
        assert.is_true(count > 5)
    end)
end)
