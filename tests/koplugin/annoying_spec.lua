-- The ten ways in which plugins of this kind have annoyed people (docs/reference/koreader.md 10.3), each tried.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path
local lfs = require("lfs")
local koreader = require("koreader")
local reading = require("reading")
local standin = require("standin")

describe("Nobody is annoyed by", function()
    local r, T, screen, server

    before_each(function()
        r = reading.start()
        T, screen, server = r.T, r.screen, r.server
    end)

    after_each(function()
        reading.stop(r)
    end)

    local function a_days_reading()
        T.open(r.book)
        r.settle()
        T.highlight({ text = "seven boats", note = "why?" })
        T.turn(4)
        r.settle(120)
        T.suspend()
        T.resume()
        r.settle()
        T.close()
        r.settle()
    end

    local function top()
        return require("ui/uimanager"):getTopmostVisibleWidget()
    end

    local function is_dialog(widget)
        return widget ~= nil and widget ~= T.reader() and widget ~= T.fm()
    end

    it("1. asking for the internet where a LAN is enough", function()
        local manager = require("ui/network/manager")
        manager.online = false
        a_days_reading()
        assert.is_nil(manager.asked_online)
        assert.equal(1, #r.known())
        assert.equal(0, r.core().outbox:count())
    end)

    it("2. Wi-Fi that switches itself on", function()
        local manager = require("ui/network/manager")
        T.offline()
        a_days_reading()
        T.open(r.book)
        r.settle(1000)
        T.close()
        assert.equal(0, manager.wifi_asked)
        assert.is_false(manager.connected)
        assert.same({}, server.requests)
    end)

    it("3. dialogs when a book opens", function()
        a_days_reading()
        r.server.places[r.file] = { version = 900, percent = 0.1, status = "approximate", at = os.time() + 99 }
        local shown = {}
        local UIManager = require("ui/uimanager")
        local show = UIManager.show
        UIManager.show = function(self, widget, ...)
            table.insert(shown, { at = UIManager.elapsed, widget = widget })
            return show(self, widget, ...)
        end
        local opened = UIManager.elapsed
        require("apps/reader/readerui"):showReader(r.book)
        UIManager:advance(1)
        for _, one in ipairs(shown) do
            assert.is_true(one.widget == T.reader() or one.widget.toast or one.at >= opened + 1)
        end
        r.settle()
        assert.is_false(is_dialog(top()))
        -- Whatever the server says, and many deletions too.
        server.is_down = true
        T.close()
        T.open(r.book)
        r.settle(300)
        assert.is_false(is_dialog(top()))
    end)

    it("4. waiting at close or suspend", function()
        server.delay = 3600 -- an answer that does not come
        T.open(r.book)
        r.settle()
        T.highlight({ text = "seven boats" })
        T.turn(2)
        local UIManager = require("ui/uimanager")
        local before = UIManager.elapsed
        T.reader():onHome()
        assert.equal(before, UIManager.elapsed)
        T.open(r.book)
        T.turn(1)
        before = UIManager.elapsed
        UIManager:flushSettings()
        T.broadcast("NetworkDisconnecting")
        T.broadcast("Suspend")
        assert.equal(before, UIManager.elapsed)
        -- What was captured is on the card.
        assert.is_true(r.core().outbox:count() >= 2)
        server.delay = nil
    end)

    it("5. jumps to page 1", function()
        a_days_reading()
        r.plugin().settings:set("newer", "silently")
        r.plugin().settings:set("older", "silently")
        local version = 900
        for _, locator in ipairs({
            "/body/DocFragment[1]/body/p[99]/text().0",
            "/body/DocFragment[1]/body/p[2]/text().9999",
            "epubcfi(/6/4!/4/2)",
            "17",
            "#a",
            "/body/DocFragment[0]/body/p[1]",
        }) do
            version = version + 1
            server.places[r.file] = { version = version, locator = locator, percent = 0.9, status = "exact", at = os.time() + 99 }
            T.open(r.book)
            local page = T.where().page
            r.settle()
            assert.equal(page, T.where().page, locator)
            assert.is_true(page > 1)
            T.close()
            r.settle()
        end
        -- A place whose words are others.
        server.places[r.file] = { version = 990, locator = "/body/DocFragment[2]/body/p[1]/text().0", percent = 0.9,
            status = "exact", at = os.time() + 99, text = "quite other words than there are" }
        T.open(r.book)
        local page = T.where().page
        r.settle()
        assert.equal(page, T.where().page)
    end)

    it("6. questions about the reader's own place", function()
        a_days_reading()
        r.plugin().settings:set("newer", "ask")
        r.plugin().settings:set("older", "ask")
        local sent = server.of("progress")
        local own = sent[#sent]
        for _, place in ipairs({
            { version = 901, here = true, locator = "/body/DocFragment[2]/body/p[1]/text().0", percent = 0.9 },
            { version = 902, locator = own.locator, percent = own.percent },
            { version = 903, locator = own.locator:gsub("/body/", "/body[1]/"), percent = own.percent },
        }) do
            place.status, place.at = "exact", place.at or os.time() + 99
            server.places[r.file] = place
            T.open(r.book)
            r.settle()
            assert.is_false(is_dialog(top()), "version " .. place.version)
            T.close()
            r.settle()
        end
        -- Another's place is asked about once.
        server.places[r.file] = { version = 950, locator = "/body/DocFragment[2]/body/p[1]/text().0", percent = 0.9,
            status = "exact", at = os.time() + 99, device = "Kobo", text = "She folded the letter" }
        T.open(r.book)
        r.settle()
        assert.is_true(is_dialog(top()))
        local box = top()
        require("ui/uimanager"):close(box)
        box.cancel_callback()
        r.sync()
        assert.is_false(is_dialog(top()))
    end)

    it("7. rewritten menu orders", function()
        a_days_reading()
        for name in lfs.dir(standin.home .. "/settings") do
            assert.is_nil(name:find("menu_order"))
        end
    end)

    it("8. names that collide with other plugins", function()
        for name in lfs.dir(koreader.plugin .. "/bookwake") do
            if name:match("%.lua$") then
                assert.truthy(name:match("^bookwake_[%w_]+%.lua$"), name)
            end
        end
        local before = {}
        for name in pairs(_G) do
            before[name] = true
        end
        a_days_reading()
        for name in pairs(_G) do
            assert.is_true(before[name], "a new global: " .. tostring(name))
        end
    end)

    it("9. a radio that never rests", function()
        a_days_reading()
        T.open(r.book)
        r.settle(120)
        local count = #server.requests
        T.wait(12 * 3600)
        assert.equal(count, #server.requests)
        T.close()
        r.settle(120)
        count = #server.requests
        T.wait(12 * 3600)
        assert.equal(count, #server.requests)
        -- A server that is away is not asked all the time.
        server.is_down = true
        T.open(r.book)
        T.highlight({ text = "built the bridge" })
        r.settle(60)
        count = #server.requests
        T.wait(3600)
        assert.is_true(#server.requests - count <= 8)
        server.is_down = nil
        T.wait(3600)
        assert.equal(2, #r.known())
    end)

    it("10. silent failure", function()
        server.is_down = true
        a_days_reading()
        local trouble = r.plugin().state:trouble()
        assert.equal("transport", trouble.last_error.class)
        assert.is_true(trouble.since <= os.time())
        local pending = r.plugin().state:pending()
        assert.is_true(pending.total >= 2)
        assert.truthy(pending.by_kind.annotations)
        T.open(r.book)
        local shown = pcall(function()
            require("bookwake_status_page").book(r.plugin())
        end)
        assert.is_true(shown)
        assert.is_true(is_dialog(top()))
        require("ui/uimanager"):close(top())
        assert.truthy(screen)
    end)
end)
