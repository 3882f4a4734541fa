-- Whatever the server, the network or the device do during a sync, nothing is lost and the rest goes on.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path
local koreader = require("koreader")
local reading = require("reading")
local standin = require("standin")

describe("A sync", function()
    local r, T, server

    before_each(function()
        r = reading.start()
        T, server = r.T, r.server
        T.open(r.book)
        r.settle()
    end)

    after_each(function()
        reading.stop(r)
    end)

    local function now()
        local result
        r.plugin():capture()
        r.plugin().sync:now({
            file = r.plugin().file,
            reason = "person",
            on_done = function(done)
                result = done
            end,
        })
        T.waitfor(function()
            return result
        end, 300, "a sync")
        return result
    end

    it("keeps everything for every kind of failure, and says which", function()
        T.highlight({ text = "seven boats" })
        for _, case in ipairs({
            { { class = "transport" } },
            { { class = "foreign", status = 200 } },
            { { class = "failed", status = 500 } },
            { { class = "later", status = 503, retry_after = 60 } },
            { { class = "too-old", status = 426, minimum = "9.0" } },
            { { class = "fork" } },
            { { class = "refused", status = 400, code = "bad" } },
        }) do
            server.reply = function(path)
                if path == "sync" then
                    return nil, case[1]
                end
            end
            local result = now()
            assert.equal(case[1].class, result.error.class)
            assert.equal(1, r.core().outbox:count())
            assert.equal(case[1].class, r.plugin().state:trouble().last_error.class)
        end
        for _, answer in ipairs({ {}, { answers = {} }, { answers = { { id = "x", outcome = "current" } } }, { server = "other" } }) do
            server.reply = function(path)
                return path == "sync" and answer or nil
            end
            assert.equal("foreign", now().error.class)
            assert.equal(1, r.core().outbox:count())
        end
        server.reply = nil
        assert.is_nil(now().error)
        assert.equal(0, r.core().outbox:count())
        assert.equal(1, #r.known())
        assert.is_nil(r.plugin().state:trouble().last_error)
    end)

    it("stops when the token is gone, and goes on after pairing again", function()
        T.highlight({ text = "seven boats" })
        server.reply = function()
            return nil, { class = "unpaired", status = 401 }
        end
        assert.equal("unpaired", now().error.class)
        local count = #server.requests
        server.reply = nil
        assert.equal("unpaired", now().error.class)
        assert.equal(count, #server.requests)
        assert.equal(1, r.core().outbox:count())
        r.core().device:pair("http://books.lan", { token = "u", device = { id = 8 }, person = "Ada" })
        assert.is_nil(now().error)
        assert.equal(1, #r.known())
    end)

    it("tells a server that it is paired with anew everything", function()
        T.highlight({ text = "seven boats" })
        T.set_state({ status = "complete", rating = 3 })
        assert.is_nil(now().error)
        assert.equal(1, #r.known())
        server.annotations, server.operations, server.seen = {}, {}, {}
        r.core().device:pair("http://other.lan", { token = "u", device = { id = 9 }, person = "Bo" })
        assert.is_nil(now().error)
        assert.equal(1, #r.known())
        assert.same({ status = "complete", rating = 3, review = nil }, server.of("state")[1].fields)
        assert.is_nil(server.of("annotations")[1].foreign)
        assert.is_nil(now().error)
        assert.equal(1, #server.of("annotations"))
    end)

    it("sends half when it was too much, and puts aside what is too much alone", function()
        for n = 1, 6 do
            r.core().outbox:add({ kind = "session", file = r.file, path = r.book, body = { started = n, seconds = 60 } })
        end
        server.reply = function(path, body)
            if path == "sync" and #body.operations > 2 then
                return nil, { class = "too-much", status = 413 }
            end
        end
        assert.is_nil(now().error)
        assert.equal(6, #server.of("session"))
        r.core().outbox:add({ kind = "session", file = r.file, path = r.book, body = { started = 1, seconds = 61 } })
        r.core().outbox:add({ kind = "session", file = r.file, path = r.book, body = { started = 2, seconds = 62 } })
        server.reply = function(path, body)
            for _, one in ipairs(path == "sync" and body.operations or {}) do
                if one.seconds == 61 then
                    return nil, { class = "too-much", status = 413 }
                end
            end
        end
        assert.equal(1, now().refused)
        assert.equal(7, #server.of("session"))
        assert.equal(1, r.plugin().state:trouble().rejected)
    end)

    it("keeps what is of no known book until the library has changed", function()
        T.close()
        server.how = "none"
        local other = koreader.book("other.epub", reading.CHAPTERS)
        T.open(other)
        r.settle()
        T.highlight({ text = "seven boats" })
        assert.equal(1, now().unmatched)
        assert.equal(1, r.core().outbox:count())
        local count = 0
        for _, request in ipairs(server.requests) do
            count = count + (request.path == "sync" and #request.body.operations or 0)
        end
        now()
        local again = 0
        for _, request in ipairs(server.requests) do
            again = again + (request.path == "sync" and #request.body.operations or 0)
        end
        assert.equal(count, again)
        assert.equal(other, r.plugin().state:unmatched()[1].path)
        server.how, server.library = "exact", "L2"
        T.wait(7 * 3600) -- the next time that it says hello
        now()
        assert.equal(0, r.core().outbox:count())
        assert.equal(1, #r.known())
    end)

    it("sends what waited as soon as a person says which book it is", function()
        T.close()
        server.how = "none"
        local other = koreader.book("other.epub", reading.CHAPTERS)
        T.open(other)
        r.settle()
        T.highlight({ text = "seven boats" })
        assert.equal(1, now().unmatched)
        server.how = "linked"
        r.core().books:matched(other, { how = "linked", book = { id = "b-other" } })
        assert.equal(1, now().sent)
        assert.equal(0, r.core().outbox:count())
        assert.equal(1, #r.known())
    end)

    it("takes an operation that was sent before for done, and does not send it as another", function()
        T.highlight({ text = "seven boats" })
        local answered = 0
        server.reply = function(path, body)
            if path == "sync" and #body.operations > 0 and answered == 0 then
                answered = 1
                server.reply = nil
                for _, operation in ipairs(body.operations) do
                    server.seen[operation.id] = true
                    for _, one in ipairs(operation.changed or {}) do
                        server.annotations[one.name] = one
                    end
                end
                return nil, { class = "transport" } -- taken, but the answer was lost
            end
        end
        assert.equal("transport", now().error.class)
        T.setnote(1, "meanwhile")
        assert.is_nil(now().error)
        assert.equal(1, #r.known())
        assert.equal("meanwhile", server.annotations[r.known()[1]].note)
        assert.equal(0, r.core().outbox:count())
    end)

    it("is one at a time, though everybody wants one", function()
        local running, most = 0, 0
        local ask = getmetatable(r.core().server).ask
        getmetatable(r.core().server).ask = function(self, asked)
            running = running + 1
            most = math.max(most, running)
            local done = asked.on_done
            asked.on_done = function(...)
                running = running - 1
                done(...)
            end
            return ask(self, asked)
        end
        local results = 0
        for _ = 1, 5 do
            r.plugin().sync:now({ file = r.book, reason = "person", on_done = function()
                results = results + 1
            end })
            r.plugin().sync:all({ files = { r.book }, on_done = function()
                results = results + 1
            end })
        end
        r.settle(60)
        assert.equal(1, most)
        assert.equal(10, results)
    end)

    it("of a book that is closed meanwhile puts nothing into another", function()
        server.delay = 5
        r.offer({ find = "built the bridge" })
        r.plugin().sync:now({ file = r.book, reason = "person" })
        T.wait(1)
        T.close()
        local other = koreader.book("other.epub", reading.CHAPTERS)
        T.open(other)
        r.settle(60)
        assert.same({}, r.items())
        T.close()
        server.delay = nil
        T.open(r.book)
        r.settle()
        assert.equal(1, #r.items())
    end)

    it("goes on with the list of a second copy of the book, and takes nothing away", function()
        T.highlight({ text = "seven boats" })
        now()
        T.close()
        r.settle()
        local lfs = require("lfs")
        lfs.mkdir(koreader.books .. "/copy")
        local copy = koreader.books .. "/copy/lantern.epub"
        for _, ending in ipairs({ "", ".json" }) do
            local from, to = io.open(r.book .. ending, "rb"), io.open(copy .. ending, "wb")
            to:write(from:read("*a"))
            from:close()
            to:close()
        end
        T.open(copy)
        r.settle()
        assert.same({}, r.items())
        T.highlight({ text = "built the bridge" })
        now()
        T.close()
        r.settle()
        T.open(r.book)
        r.settle()
        assert.equal(1, #r.items())
        now()
        assert.equal(2, #r.known())
    end)

    it("works with a clock at 1970 and one two years ahead", function()
        for _, shift in ipairs({ -os.time() + 1000, 2 * 365 * 24 * 3600 }) do
            standin.clock = standin.clock + shift
            T.highlight({ text = shift < 0 and "seven boats" or "built the bridge" })
            T.turn(1)
            local before = os.time()
            assert.is_nil(now().error)
            assert.is_true(server.requests[#server.requests].body.clock >= before)
            standin.clock = standin.clock - shift
        end
        assert.equal(2, #r.known())
    end)

    it("walks through what changed, and pulls the files that it has of it", function()
        T.close()
        r.settle()
        server.changed = { "b-" .. r.file, "b-unknown" }
        local one = { ["do"] = "give", name = "x", version = 2, type = "highlight", pos0 = "/a", pos1 = "/b", text = "t" }
        server.offers[r.file] = { one }
        local result
        r.plugin().sync:now({ reason = "person", on_done = function(done)
            result = done
        end })
        r.settle()
        assert.equal(1, result.books)
        assert.equal("x", r.core().inbox:get(r.file).annotations[1].name)
        server.changed = nil
    end)
end)

describe("A KOReader from before annotations", function()
    it("sends places and reading time only", function()
        local r = reading.start({ version = "v2024.04" })
        local build = require("apps/reader/readerui").init
        require("apps/reader/readerui").init = function(self)
            build(self)
            self.annotation = nil
        end
        r.T.open(r.book)
        r.settle()
        r.offer({ pos0 = "/body/DocFragment[1]/body/p[1]/text().0", pos1 = "/body/DocFragment[1]/body/p[1]/text().3", text = "The" })
        r.T.turn(3)
        r.plugin():capture()
        r.plugin().sync:now({ file = r.book, reason = "person" })
        r.settle()
        assert.equal(1, #r.server.of("progress"))
        r.plugin().book.ui.annotation = nil
        r.T.reader().annotation = { annotations = {}, onSaveSettings = function() end }
        require("apps/reader/readerui").init = build
        reading.stop(r)
        assert.same({}, r.server.of("annotations"))
        assert.same({}, r.server.of("state"))
        assert.same({}, r.server.of("followed"))
    end)
end)
