local support = require("support")

describe("the store", function()
    after_each(support.clean)

    it("gives back what was written and knows what is missing", function()
        local store = support.store(support.folder())
        assert.are.same({ nil, "missing" }, { store:read("books/a.json") })
        assert.is_true(store:write("books/a.json", { n = 1, list = { 1, 2 } }))
        assert.are.same({ n = 1, list = { 1, 2 }, schema = 1 }, store:read("books/a.json"))
        assert.are.same({ "a.json" }, store:list("books"))
        assert.are.same({}, store:list("nowhere"))
    end)

    it("puts aside what it cannot read, and says so", function()
        local store = support.store(support.folder())
        local files = support.files()
        for index, text in ipairs({ "", "{", "<html>", "[]", '{"a": 1}', "\0\0\0\0", "return {}" }) do
            store:write("x.json", { n = 1 })
            files.write(store.root .. "/x.json", text)
            assert.are.same({ nil, "bad" }, { store:read("x.json") })
            assert.are.equal(index, #store.quarantined)
            assert.are.equal(index, #files.list(store.root .. "/bad"))
            assert.are.same({ nil, "missing" }, { store:read("x.json") })
        end
        assert.are.equal("{", files.read(store.root .. "/bad/2-x.json"))
    end)

    it("leaves alone what a later version wrote", function()
        local store = support.store(support.folder())
        support.files().write(store.root .. "/x.json", '{"schema": 99, "n": 7}')
        assert.are.same({ nil, "newer" }, { store:read("x.json") })
        assert.are.same({ nil, "newer" }, { store:write("x.json", { n = 1 }) })
        assert.are.equal('{"schema": 99, "n": 7}', support.files().read(store.root .. "/x.json"))
    end)

    it("removes halves of files at the start and never reads them", function()
        local store = support.store(support.folder())
        store:write("outbox/1.json", { n = 1 })
        support.files().write(store.root .. "/outbox/2.json.tmp", "{")
        assert.are.same({ "1.json" }, store:list("outbox"))
        store:tidy()
        assert.are.same({ "1.json" }, support.files().list(store.root .. "/outbox"))
    end)

    it("has the old or the new file, whenever its process is killed", function()
        local root = support.folder()
        local store = support.store(root)
        local chance = support.chance(6)
        local written = 0
        local function reached()
            return tonumber(support.files().read(root .. "/reached") or "0")
        end
        local function write()
            local n = written
            while true do
                n = n + 1
                store:write("counter.json", { n = n, padding = ("x"):rep(20000), last = n })
                support.files().write(root .. "/reached", tostring(n))
            end
        end
        for round = 1, 25 do
            support.kill_while(write, round, chance, reached)
            store:tidy()
            local value = store:read("counter.json")
            if reached() > 0 then
                assert.is_table(value, "round " .. round)
                assert.is_true(value.n >= reached())
                assert.are.equal(value.n, value.last)
                written = value.n
            end
        end
        assert.are.same({}, store.quarantined)
        assert.is_true(written > 5)
    end)
end)

describe("the device", function()
    after_each(support.clean)

    it("never uses a name twice, whatever happens to its file", function()
        local root = support.folder()
        local seen = {}
        local chance = support.chance(7)
        for _ = 1, 30 do
            local device = support.device(root)
            for _ = 1, chance(300) do
                local name = device:name()
                assert.is_nil(seen[name])
                assert.is_true(#name <= 64)
                seen[name] = true
            end
            local what = chance(4)
            if what == 1 then
                os.remove(root .. "/device.json")
            elseif what == 2 then
                support.files().write(root .. "/device.json", "{")
            end
        end
    end)

    it("is who its token says", function()
        local root = support.folder()
        local device = support.device(root)
        device:set({ cursor = 17, library = "abc" })
        os.remove(root .. "/device.json")
        device = support.device(root)
        assert.is_true(device:is_paired())
        assert.are.equal("7", device.record.id)
        assert.is_nil(device.record.cursor)
        device:forget()
        local store = support.store(root)
        device = require("bookwake_device").open({ store = store, secrets = store, random = support.random_bytes })
        assert.is_false(device:is_paired())
        assert.is_nil(device:token())
    end)

    it("keeps the token out of the file that can be shown", function()
        local root = support.folder()
        support.device(root):set({ name = "Kobo" })
        assert.is_nil(support.files().read(root .. "/device.json"):find('"token"'))
    end)
end)
