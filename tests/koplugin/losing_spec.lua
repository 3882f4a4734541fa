-- The twelve ways in which plugins of this kind have lost people's data (docs/reference/koreader.md 10.2), each tried.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path
local lfs = require("lfs")
local koreader = require("koreader")
local reading = require("reading")
local standin = require("standin")

local function read(path)
    local handle = io.open(path, "rb")
    local data = handle and handle:read("*a")
    if handle then
        handle:close()
    end
    return data
end

local function write(path, data)
    local handle = assert(io.open(path, "wb"))
    handle:write(data)
    handle:close()
end

describe("No data is lost by", function()
    local r, T, server

    before_each(function()
        r = reading.start()
        T, server = r.T, r.server
    end)

    after_each(function()
        reading.stop(r)
    end)

    -- Three highlights that the server knows.
    local function three()
        T.open(r.book)
        r.settle()
        T.highlight({ text = "seven boats", note = "one" })
        T.highlight({ text = "built the bridge", color = "red" })
        T.highlight({ text = "folded the letter" })
        r.sync()
        assert.equal(3, #r.known())
    end

    it("1. writing the sidecar of the open or closing book", function()
        local DocSettings = require("docsettings")
        local flush, ours = DocSettings.flush, 0
        DocSettings.flush = function(...)
            if debug.traceback():find("bookwake_", 1, true) then
                ours = ours + 1
            end
            return flush(...)
        end
        three()
        r.offer({ find = "ended in the river", name = "srv" })
        r.sync()
        T.set_state({ status = "complete" })
        T.close()
        r.settle()
        assert.equal(0, ours)
    end)

    it("2. taking an incomplete or foreign list for deletions", function()
        three()
        T.highlight({ text = "ended in the river" })
        r.sync()
        T.close()
        r.settle()
        assert.equal(4, #r.known())
        -- A sidecar from a backup, or of another device.
        local list = require("docsettings"):open(r.book)
        list.data.annotations = { list.data.annotations[1] }
        list.data.bookwake = { id = "99-another-5", n = 7 }
        list:flush()
        T.open(r.book)
        r.settle()
        assert.equal(4, #r.known())
        local sent = server.of("annotations")
        assert.is_true(sent[#sent].complete)
        assert.is_true(sent[#sent].foreign)
        assert.same({}, sent[#sent].deleted)
    end)

    it("3. taking an empty list for 'all deleted'", function()
        three()
        T.close()
        r.settle()
        os.remove(r.sidecar())
        os.remove(r.sidecar() .. ".old")
        T.open(r.book)
        r.settle()
        assert.same({}, r.items())
        T.turn(2)
        T.close()
        r.settle()
        assert.equal(3, #r.known())
        local sent = server.of("annotations")
        assert.is_true(sent[#sent].foreign)
        -- The list of this very sidecar, emptied by something else than a person: held until somebody says so.
        T.open(r.book)
        r.settle()
        for name, one in pairs(server.annotations) do
            r.offer({ name = name, pos0 = one.pos0, pos1 = one.pos1, text = one.text })
        end
        r.sync()
        assert.equal(3, #r.items())
        for i = 3, 1, -1 do
            table.remove(r.items(), i)
        end
        r.sync()
        assert.equal(3, #r.known())
        assert.equal(3, r.plugin().state:book(r.book).held_deletions)
        r.plugin().sync:confirm_deletions(r.plugin().book.path, true)
        r.settle()
        assert.equal(0, #r.known())
    end)

    it("4. sending old progress as new", function()
        T.open(r.book)
        r.settle()
        T.offline()
        T.turn(3)
        local read_at = os.time()
        T.close()
        T.wait(3 * 24 * 3600)
        T.online()
        r.settle()
        local sent = server.of("progress")
        assert.equal(1, #sent)
        assert.is_true(math.abs(sent[1].at - read_at) < 60)
        -- Opening and closing, suspending and resuming is not reading.
        T.open(r.book)
        r.settle()
        T.suspend()
        T.resume()
        T.close()
        r.settle()
        assert.equal(1, #server.of("progress"))
    end)

    it("5. sending an XPointer that is not in the file", function()
        T.open(r.book)
        r.settle()
        T.turn(3)
        T.gotoxp("/body/DocFragment[9]/body/p[3]/text().0") -- as the stock sync plugin does
        assert.equal(1, T.where().page)
        r.sync()
        T.turn(2)
        T.close()
        r.settle()
        for _, one in ipairs(server.of("progress")) do
            assert.is_nil(one.locator:find("DocFragment[9]", 1, true))
            assert.is_true(one.page > 3)
        end
        -- Who goes on from there does read.
        T.open(r.book)
        r.settle()
        T.turn(1)
        T.close()
        r.settle()
        local sent = server.of("progress")
        assert.equal("read", sent[#sent].act)
    end)

    it("6. comparing spellings of XPointers", function()
        T.open(r.book)
        r.settle()
        local from, to = T.find("built the bridge")
        local function new(position)
            return (position:gsub("/body/", "/body[1]/"):gsub("/body/", "/body[1]/"):gsub("text%(%)%.", "text()[1]."))
        end
        r.offer({ pos0 = new(from), pos1 = new(to), text = "built the bridge" })
        r.sync()
        assert.equal(1, #r.items())
        assert.equal(from, r.items()[1].pos0)
        T.close()
        r.settle()
        assert.same({}, server.of("annotations"))
        -- The engine spells anew: the list goes up as found, nothing is deleted or doubled.
        T.open(r.book)
        r.settle()
        local item = r.items()[1]
        item.page, item.pos0, item.pos1 = new(from), new(from), new(to)
        r.sync()
        assert.same({}, server.of("annotations"))
    end)

    it("7. making a sidecar", function()
        r.server.states[r.file] = { version = 3, status = "complete", rating = 5, review = "" }
        r.plugin().sync:all({ files = { r.book } })
        r.settle()
        assert.is_nil(lfs.attributes(r.sidecar()))
        T.open(r.book)
        r.settle()
        assert.equal("complete", T.reader().doc_settings:readSetting("summary").status)
        T.close()
        local data = require("docsettings"):open(r.book).data
        assert.truthy(data.last_xpointer and data.cre_dom_version)
    end)

    it("8. putting string positions into a book of fixed pages", function()
        local pdf = koreader.books .. "/plain.pdf"
        write(pdf, "the bytes of a pdf")
        write(pdf .. ".json", '{"pages": 5, "props": {"title": "Plain"}, "toc": []}')
        local file = require("util").partialMD5(pdf)
        server.offers[file] = {
            { ["do"] = "give", name = "x", version = 2, type = "highlight", pos0 = "/body/p[1]/text().0",
                pos1 = "/body/p[1]/text().4", text = "word" },
        }
        server.places[file] = { version = 9, locator = "/body/p[1]/text().0", percent = 0.9, status = "exact", at = os.time() + 99 }
        T.open(pdf)
        r.settle()
        assert.same({}, r.items())
        assert.equal(1, T.where().page)
        T.turn(2)
        T.close()
        r.settle()
        local sent = server.of("progress")
        assert.equal("3", sent[1].locator)
        assert.same({}, server.of("annotations"))
    end)

    it("9. believing the sidecar about which file it is", function()
        three()
        T.close()
        r.settle()
        local model = read(r.book .. ".json")
        write(r.book, "other bytes under the same name")
        write(r.book .. ".json", model)
        local other = require("util").partialMD5(r.book)
        T.open(r.book)
        r.settle()
        local sent = server.of("annotations")
        assert.equal(other, sent[#sent].file)
        local match
        for _, request in ipairs(server.requests) do
            match = request.path == "match" and request.body.files[1] or match
        end
        assert.equal(other, match.file)
        assert.equal(r.file, match.stored)
        assert.equal(3, #r.known())
    end)

    it("10. letting the implicit 'reading' win over 'complete'", function()
        T.open(r.book)
        r.settle()
        T.set_state({ status = "complete", rating = 5 })
        T.close()
        r.settle()
        assert.equal(1, #server.of("state"))
        os.remove(r.sidecar())
        os.remove(r.sidecar() .. ".old")
        T.open(r.book)
        r.settle()
        assert.equal("reading", T.reader().doc_settings:readSetting("summary").status)
        T.close()
        r.settle()
        assert.equal(1, #server.of("state"))
        -- What the server says is shown again; and a person who reads on means it.
        server.states[r.file] = { version = 50, status = "complete", rating = 5, review = "" }
        T.open(r.book)
        r.settle()
        assert.equal("complete", T.reader().doc_settings:readSetting("summary").status)
        T.set_state({ status = "reading" })
        T.close()
        r.settle()
        assert.same({ status = "reading" }, server.of("state")[2].fields)
    end)

    it("11. overwriting an edited note that KOReader has not dated", function()
        three()
        local one
        for _, known in pairs(server.annotations) do
            one = known.note == "one" and known or one
        end
        local index = T.findannotation("seven boats")
        T.setnote(index, "edited here") -- no event, no date
        r.offer({ ["do"] = "change", name = one.name, pos0 = one.pos0, pos1 = one.pos1, text = one.text, note = "edited there",
            version = 40 })
        r.plugin().sync:now({ file = r.book, reason = "person" })
        r.settle()
        assert.equal("edited here", r.items()[index].note)
        r.sync()
        assert.equal("edited here", server.annotations[one.name].note)
        assert.is_true(server.annotations[one.name].changed_at > one.changed_at)
    end)

    it("12. a file that was cut off", function()
        three()
        T.offline()
        T.setnote(1, "offline")
        T.close()
        local root = r.home .. "/bookwake"
        local before = r.core().outbox:count()
        assert.is_true(before > 0)
        local cut = {}
        for _, name in ipairs({ "/device.json", "/digests.json", "/library.json", "/books/" .. r.file .. ".json" }) do
            local data = read(root .. name)
            if data then
                cut[#cut + 1] = name
                write(root .. name, data:sub(1, math.floor(#data / 2)))
            end
        end
        assert.is_true(#cut >= 3)
        write(root .. "/outbox/0000000000-state.json", '{"id": "cut o')
        write(root .. "/outbox/9999999999-state.json.tmp", "{")
        r.crash()
        assert.equal(before, r.core().outbox:count())
        assert.is_true(r.core().device:is_paired())
        T.online()
        T.open(r.book)
        r.settle(60)
        assert.equal(0, r.core().outbox:count())
        assert.equal(3, #r.known())
        local notes = {}
        for _, one in pairs(server.annotations) do
            notes[one.note or ""] = true
        end
        assert.is_true(notes["offline"])
        assert.is_true(#r.plugin().state:trouble().quarantined >= 2)
        assert.truthy(lfs.attributes(root .. "/bad", "mode"))
        assert.truthy(standin.running)
    end)
end)
