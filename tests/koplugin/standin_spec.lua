-- The stand-in of KOReader has the traps that a real one has; each was seen in ../shared/captures-koreader.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path

local koreader = require("koreader")
local standin = require("standin")

local LINES = {
    { "One", "The lantern keeper counted seven boats.", "Nobody knew who had built the bridge." },
    { "Two", ("A long way to go. "):rep(120) },
}

--- A plugin that writes down which events came.
local function probe()
    local directory = koreader.made .. "/probe.koplugin"
    require("lfs").mkdir(directory)
    local file = io.open(directory .. "/main.lua", "w")
    file:write([[
        local Probe = require("ui/widget/container/widgetcontainer"):extend({ name = "probe" })
        Probe.seen = {}
        for _, name in ipairs({ "ReaderReady", "PageUpdate", "CloseDocument", "FlushSettings", "SaveSettings",
            "CloseWidget", "Suspend", "Resume", "NetworkDisconnecting", "NetworkDisconnected", "NetworkConnected",
            "AnnotationsModified", "DocSettingsLoad", "ReadSettings" }) do
            Probe["on" .. name] = function(self, a)
                table.insert(Probe.seen, (self.ui.rolling and "reader " or "files ") .. name)
                if name == "AnnotationsModified" then Probe.last = a end
            end
        end
        return Probe]])
    file:close()
    return directory
end

describe("The stand-in of KOReader", function()
    local T, screen, book, plugin

    before_each(function()
        koreader.start({ plugins = {} })
        local directory = probe()
        standin.stop()
        T, screen = koreader.start({
            home = koreader.made .. "/koreader",
            books = koreader.made .. "/books",
            plugins = { directory },
        })
        book = koreader.book("book.epub", LINES)
        plugin = require("pluginloader").enabled_plugins[1]
    end)

    after_each(koreader.stop)

    it("sends the events of opening and closing in KOReader's order, the sidecar last", function()
        plugin.seen = {}
        T.open(book)
        assert.same({
            "files SaveSettings",
            "files FlushSettings",
            "files CloseWidget",
            "reader DocSettingsLoad",
            "reader ReadSettings",
            "reader PageUpdate",
            "reader ReaderReady",
            "reader PageUpdate",
        }, require("pluginloader").enabled_plugins[1].seen)
    end)

    it("flushes the sidecar only after CloseDocument", function()
        T.open(book)
        local sidecar = book:gsub("%.epub$", ".sdr/metadata.epub.lua")
        local at_close
        T.plugin("probe").onCloseDocument = function()
            at_close = require("util").fileExists(sidecar)
        end
        T.turn(1)
        T.close()
        assert.is_false(at_close)
        assert.is_true(require("util").fileExists(sidecar))
    end)

    it("goes to page 1 for a pointer that cannot be found, and keeps the pointer", function()
        T.open(book)
        T.turn(2)
        assert.equal(3, T.where().page)
        T.gotoxp("/body/DocFragment[9]/body/p[3]/text().0")
        assert.equal(1, T.where().page)
        assert.equal("/body/DocFragment[9]/body/p[3]/text().0", T.where().xpointer)
        assert.is_false(T.reader().document:isXPointerInDocument(T.where().xpointer))
    end)

    it("spells a place in one way only, and understands both", function()
        T.open(book)
        local document = T.reader().document
        local one, other = "/body/DocFragment[1]/body/p[2]/text().7", "/body[1]/DocFragment[1]/body[1]/p[2]/text()[1].7"
        assert.equal(one, document:getNormalizedXPointer(other))
        assert.equal(0, document:compareXPointers(one, other))
        assert.is_nil(document:compareXPointers(one, "/body/DocFragment[1]/body/p[2]/text().900"))
        assert.is_false(document:getNormalizedXPointer("/body/DocFragment[1]/body/p[2]/text().900"))
    end)

    it("sends an event for a first note and a colour, but none for the text of a note", function()
        T.open(book)
        local item = T.highlight({ text = "seven boats" })
        assert.is_nil(item.datetime_updated)
        T.setnote(1, "why?")
        assert.truthy(item.datetime_updated)
        item.datetime_updated = nil
        plugin.last = nil
        T.setnote(1, "why not?")
        assert.is_nil(plugin.last)
        assert.is_nil(item.datetime_updated)
        T.setcolor(1, "red")
        assert.truthy(item.datetime_updated)
        T.delete(1)
        assert.equal(-1, plugin.last.index_modified)
    end)

    it("crashes on AnnotationsModified without an item", function()
        T.open(book)
        assert.has_error(function()
            T.event("AnnotationsModified", { nb_highlights_added = 1 })
        end)
    end)

    it("refuses a list with several places that cannot be found", function()
        T.open(book)
        T.highlight({ text = "seven boats" })
        T.close()
        local settings = require("docsettings"):open(book)
        for number = 1, 2 do
            local lost = "/body/DocFragment[1]/body/p[" .. 900 + number .. "]/text().0"
            table.insert(settings.data.annotations, { page = lost, pos0 = lost, pos1 = lost, drawer = "lighten" })
        end
        settings:makeTrue("annotations_externally_modified")
        settings:flush()
        assert.has_error(function()
            T.open(book)
        end, "invalid order function for sorting")
    end)

    it("loses the network before it tells of the suspend", function()
        T.open(book)
        plugin.seen = {}
        T.suspend()
        T.resume()
        assert.same({
            "reader NetworkDisconnecting",
            "reader NetworkDisconnected",
            "reader FlushSettings",
            "reader SaveSettings",
            "reader Suspend",
            "reader Resume",
            "reader NetworkConnected",
        }, plugin.seen)
    end)

    it("forks: what a child does to memory is lost, what it returns comes back", function()
        local Trapper = require("ui/trapper")
        local touched, answer = false, nil
        Trapper:wrap(function()
            local completed, result = Trapper:dismissableRunInSubprocess(function()
                touched = true
                return { number = 42 }
            end)
            answer = completed and result.number
        end)
        T.waitfor(function()
            return answer
        end)
        assert.equal(42, answer)
        assert.is_false(touched)
        Trapper.mode, answer = "fails", nil
        Trapper:wrap(function()
            answer = { Trapper:dismissableRunInSubprocess(function() end) }
        end)
        assert.same({ false }, answer)
    end)

    it("deletes a broken sidecar, and with it the highlights", function()
        T.open(book)
        T.highlight({ text = "seven boats" })
        T.close()
        local sidecar = book:gsub("%.epub$", ".sdr/metadata.epub.lua")
        local file = io.open(sidecar, "w")
        file:write("return { [")
        file:close()
        T.open(book)
        assert.equal(0, #T.reader().annotation.annotations)
    end)

    it("starts again in the same process, with another version", function()
        require("lua-ljsqlite3/init")
        T.restart({ version = "v2024.11" })
        assert.equal("2024.11", require("version"):getShortVersion())
        assert.is_false((pcall(require, "ui/widget/booklist")))
        T.restart({ version = "v2026.07.2" })
        assert.is_true((pcall(require, "ui/widget/booklist")))
        require("lua-ljsqlite3/init")
    end)

    it("reads a database by columns, integers as 64 bits", function()
        local SQ3 = require("lua-ljsqlite3/init")
        local db = SQ3.open(koreader.made .. "/x.sqlite3")
        db:exec("CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL);")
        local result, rows = db:exec("SELECT a, b FROM t ORDER BY a")
        assert.equal(2, rows)
        assert.equal("cdata", type(result[1][1]))
        assert.equal(2, tonumber(result.a[2]))
        assert.equal("x", result[2][1])
        local statement = db:prepare("SELECT COUNT(*) FROM t WHERE a > ?")
        assert.equal(1, tonumber(statement:reset():bind(1):step()[1]))
        statement:close()
        db:close()
    end)

    it("presses what is on the screen, and nothing that is greyed out", function()
        local ConfirmBox = require("ui/widget/confirmbox")
        local UIManager = require("ui/uimanager")
        local answer
        UIManager:show(ConfirmBox:new({
            text = "Sure?",
            ok_callback = function()
                answer = true
            end,
        }))
        assert.equal("Sure?\nOK\nCancel", screen.texts())
        screen.press("OK")
        assert.is_true(answer)
        assert.is_nil(screen.window())
    end)
end)
