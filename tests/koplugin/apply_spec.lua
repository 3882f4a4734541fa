-- What the server gives is put only where the right words are, and leaves no trace of looking like a person's act.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path
local reading = require("reading")

describe("What is given", function()
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

    local function outcome(name)
        local found
        for _, operation in ipairs(server.of("followed")) do
            for _, one in ipairs(operation.followed) do
                found = one.name == name and one or found
            end
        end
        return found and found.outcome, found and found.reason
    end

    it("is searched for when other words are at its place", function()
        local from, to = T.find("built the bridge")
        r.offer({ name = "moved", pos0 = (from:gsub("%d+$", "0")), pos1 = (to:gsub("%d+$", "16")), text = "built the bridge" })
        r.sync()
        assert.equal(from, r.items()[1].pos0)
        assert.equal(to, r.items()[1].pos1)
        assert.same({ "placed", "corrected" }, { outcome("moved") })
        T.close()
        r.settle()
        assert.same({}, server.of("annotations"))
    end)

    it("is not put in where its words are nowhere", function()
        local from, to = T.find("built the bridge")
        r.offer({ name = "gone", pos0 = from, pos1 = to, text = "words of another edition", note = "kept" })
        r.offer({ name = "bad", pos0 = "/body/DocFragment[7]/body/p/text().0", pos1 = to, text = "not here either" })
        r.offer({ name = "empty", pos0 = from, pos1 = from, text = "" })
        r.sync()
        assert.same({}, r.items())
        assert.same({ "unplaced", "not-found" }, { outcome("gone") })
        assert.same({ "unplaced", "not-found" }, { outcome("bad") })
        assert.same({ "unplaced", "no-position" }, { outcome("empty") })
        local unplaced = r.plugin().state:book(r.book).unplaced
        assert.equal(3, #unplaced)
        assert.equal("kept", unplaced[3].note)
    end)

    it("is told apart by its surroundings where its words are there several times", function()
        local text = "there and back"
        r.offer({ name = "which", pos0 = "/body/DocFragment[1]/body/p[3]/text().9999", pos1 = "x", text = text })
        r.sync()
        assert.same({}, r.items())
        assert.same({ "unplaced", "ambiguous" }, { outcome("which") })
    end)

    it("may span paragraphs, and is found by its ends", function()
        local from = T.find("the fog closed over")
        local _, to = T.find("Nobody in the village remembered")
        local text = T.reader().document:getTextFromXPointers(from, to)
        assert.truthy(text:find("\n"))
        r.offer({ name = "right", pos0 = from, pos1 = to, text = text })
        r.offer({ name = "shifted", pos0 = from, pos1 = from, text = text, note = "x" })
        r.sync()
        assert.equal("placed", outcome("right"))
        -- The second is the same highlight, and the server will say so; nothing is put in twice.
        assert.equal(1, #r.items())
        assert.equal(text, r.items()[1].text)
    end)

    it("keeps its words where a person has rewritten them, if all around it fits", function()
        local from, to = T.find("built the bridge")
        T.reader().document.getSelectedWordContext = function(_, _, _, pos0)
            assert.equal(from, pos0)
            return "remembered who had ", ", or why it ended"
        end
        r.offer({ name = "own", pos0 = from, pos1 = to, text = "my own words",
            before = "in the village remembered who had", after = ", or why it ended in" })
        r.sync()
        assert.equal("placed", outcome("own"))
        assert.equal("my own words", r.items()[1].text)
    end)

    it("waits while a person marks something or looks at a dialog", function()
        r.offer({ find = "built the bridge" })
        T.reader().highlight.selected_text = { text = "x" }
        r.plugin().sync:now({ file = r.book, reason = "person" })
        r.settle(10)
        assert.same({}, r.items())
        T.reader().highlight.selected_text = nil
        r.settle(10)
        assert.equal(1, #r.items())
        r.settle(70)
        assert.equal("placed", outcome("srv-1"))
    end)

    it("comes when the book is opened, if it could not before, without a network too", function()
        local one = r.offer({ find = "built the bridge" })
        T.close()
        r.settle()
        r.plugin().sync:all({ files = { r.book } })
        r.settle()
        T.offline()
        T.open(r.book)
        r.settle(5)
        assert.equal(1, #r.items())
        assert.equal(one.pos0, r.items()[1].pos0)
        T.online()
        r.settle(70)
        assert.equal("placed", outcome("srv-1"))
    end)

    it("has style, colour, note and times of its own, or sensible ones", function()
        r.offer({ find = "built the bridge", name = "a", note = "n", colour = "purple", style = "strikeout" })
        r.offer({ find = "seven boats", name = "b", note = "", colour = nil, style = "curly" })
        r.sync()
        local _, a = T.findannotation("built")
        local _, b = T.findannotation("seven")
        assert.same({ "n", "purple", "strikeout" }, { a.note, a.color, a.drawer })
        assert.is_nil(b.note)
        assert.equal("lighten", b.drawer)
        assert.truthy(b.color)
        assert.equal(os.date("%Y-%m-%d %H:%M:%S", 1700000000), a.datetime)
        assert.is_nil(a.datetime_updated)
        assert.equal(T.reader().toc:getTocTitleByPage(a.page), a.chapter)
    end)

    it("may be a bookmark, which has no end and no style", function()
        local from = T.find("Nobody in the village")
        r.offer({ name = "dog-ear", type = "bookmark", pos0 = from, text = "in One", after = "Nobody in the village" })
        r.offer({ name = "elsewhere", type = "bookmark", pos0 = from, after = "quite other words here" })
        r.sync()
        assert.equal(1, #r.items())
        local item = r.items()[1]
        assert.equal(from, item.page)
        assert.is_nil(item.drawer or item.pos0 or item.color)
        assert.same({ "unplaced", "not-found" }, { outcome("elsewhere") })
        r.offer({ ["do"] = "remove", name = "dog-ear", version = 8 })
        r.sync()
        assert.same({}, r.items())
        T.close()
        r.settle()
        assert.same({}, server.of("annotations"))
    end)

    it("may be moved, and stays the same one", function()
        r.offer({ find = "seven boats", name = "a" })
        r.sync()
        local item = r.items()[1]
        local made = item.datetime
        local from, to = T.find("counted seven boats before")
        r.offer({ ["do"] = "change", name = "a", version = 7, pos0 = from, pos1 = to, text = "counted seven boats before" })
        r.sync()
        assert.equal(1, #r.items())
        assert.equal(from, r.items()[1].pos0)
        assert.equal("counted seven boats before", r.items()[1].text)
        assert.equal(made, r.items()[1].datetime)
        T.close()
        r.settle()
        assert.same({}, server.of("annotations"))
    end)

    it("only goes up, where a person wants that", function()
        r.plugin().settings:set("two_way", false)
        T.highlight({ text = "seven boats" })
        r.offer({ find = "built the bridge" })
        r.sync()
        assert.equal(1, #r.items())
        assert.equal(1, #r.known())
        r.plugin().settings:set("two_way", true)
        r.sync()
        assert.equal(2, #r.items())
    end)

    it("that makes no sense is left alone", function()
        server.offers[r.file] = {
            { ["do"] = "explode", name = "a", version = 1 },
            { ["do"] = "give", version = 1 },
            { ["do"] = "give", name = "b", version = "x", type = "highlight", pos0 = "/a", pos1 = "/b" },
            { ["do"] = "give", name = "c", version = 1, type = "highlight", pos0 = { 1 }, pos1 = 7 },
            "text",
        }
        r.sync()
        assert.same({}, r.items())
        assert.same({}, server.of("followed"))
        assert.is_nil(r.plugin().state:trouble().last_error)
    end)
end)
