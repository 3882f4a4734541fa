-- A book that a person leaves out: nothing of it goes, nothing comes, until it is taken back in.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path
local reading = require("reading")

describe("A book that is left out", function()
    local r, T, server

    before_each(function()
        r = reading.start()
        T, server = r.T, r.server
        T.open(r.book)
        r.settle()
        T.highlight({ text = "seven boats", note = "for all" })
        r.settle(70)
    end)

    after_each(function()
        reading.stop(r)
    end)

    local function leave_out()
        r.screen.choose("Bookwake", "Do not sync this book")
    end

    --- What the server has heard since, of this book or in which its digest stands.
    local function heard(since)
        local found = {}
        for index = since + 1, #server.requests do
            local request = server.requests[index]
            if server.json.encode(request.body or {}):find(r.file, 1, true) then
                found[#found + 1] = request.path
            end
        end
        return found
    end

    it("is not sent, whoever asks for a sync, and gets nothing", function()
        leave_out()
        local since = #server.requests
        r.offer({ find = "built the bridge" })
        server.places[r.file] = { version = 300, locator = T.find("folded the letter"), percent = 0.6, status = "exact",
            at = os.time() + 100, device = "Browser", text = "folded the letter three times" }
        server.changed = { "b-" .. r.file }
        T.setnote(1, "for me")
        T.highlight({ text = "built the bridge", note = "private" })
        T.turn(3)
        T.set_state({ status = "complete", rating = 4, review = "" })
        r.screen.choose("Bookwake", "Sync this book now")
        assert.truthy(r.screen.texts():find("You left this book out", 1, true))
        r.screen.dismiss_all()
        r.screen.choose("Bookwake", "Sync all books now")
        r.settle()
        r.screen.dismiss_all()
        T.suspend()
        T.resume()
        T.close()
        r.settle()
        T.restart()
        r.settle()
        T.open(r.book)
        r.settle()
        T.turn(1)
        r.settle(100)
        T.broadcast("NetworkConnected")
        r.settle()
        r.screen.choose("Bookwake", "Match all books again")
        r.settle()
        r.screen.dismiss_all()
        assert.same({}, heard(since))
        assert.equal(2, #r.items())
        assert.equal(0, r.plugin().state:pending().total)
        r.screen.choose("Bookwake", "Status of this book")
        assert.truthy(r.screen.texts():find("Not synced: you left this book out", 1, true))
        r.screen.dismiss_all()
    end)

    it("keeps what had not been sent, and is found as it is when it is synced again", function()
        T.offline()
        T.setnote(1, "later")
        r.plugin():capture()
        leave_out()
        T.online()
        r.settle()
        T.highlight({ text = "built the bridge" })
        T.close()
        r.settle()
        T.open(r.book)
        r.settle()
        assert.equal(1, #server.of("annotations"))
        r.screen.choose("Bookwake", "Sync this book again")
        r.settle()
        local notes = {}
        for _, one in pairs(server.annotations) do
            notes[one.text] = one.note or ""
        end
        assert.same({ ["seven boats"] = "later", ["built the bridge"] = "" }, notes)
        assert.equal(0, r.plugin().state:pending().total)
    end)

    it("stays so when other bytes take the place of its file", function()
        leave_out()
        T.setnote(1, "for me")
        T.close()
        r.settle()
        local since = #server.requests
        local before = r.file
        require("util").writeToFile("other bytes", r.book)
        r.file = require("util").partialMD5(r.book)
        assert.are_not.equal(before, r.file)
        r.screen.choose("Bookwake", "Sync all books now")
        r.settle()
        r.screen.dismiss_all()
        T.open(r.book)
        r.settle()
        assert.same({}, heard(since))
        r.screen.choose("Bookwake", "Sync this book again")
        r.settle()
        assert.is_true(#heard(since) > 0)
        assert.same({}, r.plugin().settings:get("left_out"))
    end)
end)
