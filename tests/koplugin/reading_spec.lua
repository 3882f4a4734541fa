-- The plugin as a whole in the stand-in of KOReader, with a server of a few lines: what a person does goes up, what
-- comes is put into the book.
require("support")
local koreader = require("koreader")
local fake_server = require("fake_server")

local CHAPTERS = {
    {
        "One",
        "The lantern keeper counted seven boats before the fog closed over the harbour.",
        "Nobody in the village remembered who had built the bridge, or why it ended in the river.",
        ("A long way to go from here to there and back again. "):rep(60),
    },
    { "Two", "She folded the letter three times and hid it behind the clock.", ("And on and on it went. "):rep(80) },
}

describe("Reading with the plugin", function()
    local T, server, book, file

    local function start()
        T = koreader.start({})
        book = koreader.book("lantern.epub", CHAPTERS)
        file = require("util").partialMD5(book)
    end

    before_each(function()
        server = fake_server.install()
        start()
        local core = require("bookwake_core").get()
        core.device:pair("http://books.lan", { token = "t", device = { id = 7 }, person = "Ada" })
    end)

    after_each(function()
        local failures = T.failures()
        koreader.stop()
        server.uninstall()
        assert.same({}, failures)
    end)

    local function plugin()
        return T.plugin("bookwake")
    end

    local function settle(seconds)
        T.wait(seconds or 30)
    end

    local function offer(fields)
        local document = T.reader().document
        local from, to
        if fields.find then
            from, to = T.find(fields.find)
        end
        local one = {
            ["do"] = "give",
            name = "srv-1",
            version = 5,
            type = "highlight",
            pos0 = from,
            pos1 = to,
            text = fields.find and document:getTextFromXPointers(from, to),
            colour = "green",
            style = "underscore",
            created_at = 1700000000,
            changed_at = 1700000000,
        }
        for key, value in pairs(fields) do
            one[key] = value
        end
        one.find = nil
        server.offers[file] = server.offers[file] or {}
        table.insert(server.offers[file], one)
        return one
    end

    it("sends a highlight, its note, an edited note, a colour and a deletion", function()
        T.open(book)
        settle()
        T.highlight({ text = "seven boats", color = "red" })
        settle(70)
        local sent = server.of("annotations")
        assert.equal(1, #sent)
        local one = sent[1].changed[1]
        assert.equal("seven boats", one.text)
        assert.equal("red", one.colour)
        assert.equal("lighten", one.style)
        assert.truthy(one.pos0:find("text%(%)"))
        T.setnote(1, "why seven?")
        settle(70)
        assert.equal("why seven?", server.annotations[one.name].note)
        T.setnote(1, "why not eight?") -- no event
        plugin():capture()
        plugin():sync_by_itself("person")
        settle(70)
        assert.equal("why not eight?", server.annotations[one.name].note)
        T.setcolor(1, "blue")
        settle(70)
        assert.equal("blue", server.annotations[one.name].colour)
        T.delete(1)
        settle(70)
        assert.is_nil(server.annotations[one.name])
        local last = server.of("annotations")
        assert.is_true(last[#last].deleted[1].confirmed)
        assert.equal(0, plugin().state:pending().total)
    end)

    it("puts in what comes, once, and sends nothing of it back", function()
        T.open(book)
        settle()
        offer({ find = "built the bridge", note = "from the browser" })
        plugin():sync_by_itself("person")
        settle()
        local list = T.reader().annotation.annotations
        assert.equal(1, #list)
        assert.equal("built the bridge", list[1].text)
        assert.equal("from the browser", list[1].note)
        assert.equal("underscore", list[1].drawer)
        assert.equal("placed", server.of("followed")[1].followed[1].outcome)
        T.turn(2)
        T.close()
        settle()
        T.open(book)
        settle()
        plugin():sync_by_itself("person")
        settle()
        assert.equal(1, #T.reader().annotation.annotations)
        assert.same({}, server.of("annotations"))
    end)

    it("takes over edits and deletions, and does not take them for its own", function()
        T.open(book)
        settle()
        T.highlight({ text = "seven boats", note = "mine" })
        settle(70)
        local one = server.of("annotations")[1].changed[1]
        local count = #server.of("annotations")
        offer({ ["do"] = "change", name = one.name, pos0 = one.pos0, pos1 = one.pos1, text = one.text, note = "theirs",
            colour = "purple", style = "strikeout", version = 9, changed_at = 1700000500 })
        plugin():sync_by_itself("person")
        settle()
        local item = T.reader().annotation.annotations[1]
        assert.equal("theirs", item.note)
        assert.equal("purple", item.color)
        assert.equal("strikeout", item.drawer)
        settle(100)
        T.close()
        settle()
        assert.equal(count, #server.of("annotations"))
        T.open(book)
        settle()
        offer({ ["do"] = "remove", name = one.name, version = 10 })
        plugin():sync_by_itself("person")
        settle()
        assert.same({}, T.reader().annotation.annotations)
        T.close()
        settle()
        assert.equal(count, #server.of("annotations"))
        local followed = server.of("followed")
        assert.equal("removed", followed[#followed].followed[1].outcome)
    end)

    it("goes on where the person stopped elsewhere, and back again", function()
        T.open(book)
        local there = T.find("folded the letter")
        T.close()
        settle()
        plugin().settings:set("newer", "silently")
        server.places[file] = { version = 300, locator = there, percent = 0.6, status = "exact", at = os.time() + 100,
            device = "Browser", text = "folded the letter three times" }
        T.open(book)
        settle()
        assert.equal(there, T.where().xpointer)
        assert.is_true(plugin():can_undo_jump())
        T.close()
        settle()
        assert.same({}, server.of("progress")) -- a jump is no reading
        T.open(book)
        settle()
        T.turn(1)
        assert.is_false(plugin():can_undo_jump())
        T.close()
        settle()
        local sent = server.of("progress")
        assert.equal("read", sent[#sent].act)
        assert.equal(300, sent[#sent].based_on)
    end)

    it("sends the place after pages were turned, with its words", function()
        T.open(book)
        settle()
        T.turn(3)
        T.close()
        settle()
        local sent = server.of("progress")
        local last = sent[#sent]
        assert.equal("read", last.act)
        assert.equal(4, last.page)
        assert.truthy(last.text and #last.text > 10)
        assert.equal(file, last.file)
    end)

    it("sends status, rating and review, and takes them over", function()
        T.open(book)
        settle()
        assert.same({}, server.of("state"))
        T.set_state({ status = "complete", rating = 4, review = "good" })
        T.close()
        settle()
        assert.same({ status = "complete", rating = 4, review = "good" }, server.of("state")[1].fields)
        server.states[file] = { version = 400, status = "abandoned", rating = 2, review = "not so good" }
        T.open(book)
        settle()
        local summary = T.reader().doc_settings:readSetting("summary")
        assert.equal("abandoned", summary.status)
        assert.equal(2, summary.rating)
        assert.equal("not so good", summary.note)
        T.close()
        settle()
        assert.equal(1, #server.of("state"))
    end)

    it("keeps all while there is no network, and sends it when there is one", function()
        T.open(book)
        settle()
        T.offline()
        T.highlight({ text = "seven boats" })
        settle(20)
        T.highlight({ text = "built the bridge", note = "who?" })
        T.turn(3)
        T.close()
        settle()
        assert.same({}, server.operations)
        assert.same({ annotations = 1, progress = 1, session = 1 }, plugin().state:pending().by_kind)
        T.restart()
        settle()
        T.online()
        settle()
        local count = 0
        for _ in pairs(server.annotations) do
            count = count + 1
        end
        assert.equal(2, count)
        assert.equal(1, #server.of("progress"))
        assert.equal(0, T.plugin("bookwake").state:pending().total)
    end)
end)
