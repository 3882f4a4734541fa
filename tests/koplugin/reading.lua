--- What specs of the whole plugin share: a reader of KOReader with the plugin, a book, and a server of a few lines.
--
--     local r = reading.start()     -- r.T, r.server, r.book, r.file, r.plugin(), r.settle(), r.offer{…}, r.sync()
--     reading.stop(r)               -- in after_each; fails if a handler of the plugin failed
require("support")
local fake_server = require("fake_server")
local koreader = require("koreader")
local standin = require("standin")

local reading = {}

reading.CHAPTERS = {
    {
        "One",
        "The lantern keeper counted seven boats before the fog closed over the harbour.",
        "Nobody in the village remembered who had built the bridge, or why it ended in the river.",
        ("A long way to go from here to there and back again. "):rep(60),
    },
    { "Two", "She folded the letter three times and hid it behind the clock.", ("And on and on it went. "):rep(80) },
}

function reading.start(options)
    local r = { server = fake_server.install() }
    r.T, r.screen = koreader.start(options or {})
    r.book = koreader.book("lantern.epub", reading.CHAPTERS)
    r.file = require("util").partialMD5(r.book)
    r.home = standin.home
    require("bookwake_core").get().device:pair("http://books.lan", { token = "t", device = { id = 7 }, person = "Ada" })

    function r.core()
        return require("bookwake_core").get()
    end

    function r.plugin()
        return r.T.plugin("bookwake")
    end

    function r.settle(seconds)
        r.T.wait(seconds or 30)
    end

    --- What a person's "sync now" does.
    function r.sync()
        r.plugin():capture()
        r.plugin().sync:now({ file = r.plugin().file, reason = "person" })
        r.settle()
    end

    function r.items()
        return r.T.reader().annotation.annotations
    end

    --- Something that the server has for this book; `find`: the words it is at.
    function r.offer(fields)
        local one = {
            ["do"] = "give",
            name = "srv-1",
            version = 5,
            type = "highlight",
            colour = "green",
            style = "underscore",
            created_at = 1700000000,
            changed_at = 1700000000,
        }
        if fields.find then
            one.pos0, one.pos1 = r.T.find(fields.find)
            one.text = r.T.reader().document:getTextFromXPointers(one.pos0, one.pos1)
        end
        for key, value in pairs(fields) do
            one[key] = value
        end
        one.find = nil
        r.server.offers[r.file] = r.server.offers[r.file] or {}
        table.insert(r.server.offers[r.file], one)
        return one
    end

    --- The power goes, and comes back: nothing was saved that was not on the card.
    function r.crash()
        local home, books = standin.home, standin.books
        standin.kill()
        standin.start({ home = home, books = books, plugins = { koreader.plugin } })
    end

    function r.sidecar()
        return r.book:gsub("%.epub$", ".sdr/metadata.epub.lua")
    end

    --- Names of what the server knows.
    function r.known()
        local names = {}
        for name in pairs(r.server.annotations) do
            names[#names + 1] = name
        end
        table.sort(names)
        return names
    end

    return r
end

function reading.stop(r)
    local failures = r.T.failures()
    koreader.stop()
    r.server.uninstall()
    assert(#failures == 0, failures[1])
end

return reading
