-- Connecting to a server, both ways and by a code that came inside the plugin.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path

local fake_core = require("fake_core")
local koreader = require("koreader")

local PAIRED = { token = ("0123456789abcdef"):rep(2), device = { id = 7, name = "Emulator" }, person = "Ada" }

describe("Pairing", function()
    local T, screen, core

    before_each(function()
        core = fake_core.install()
        T, screen = koreader.start()
        core.answers["http://192.168.1.20:8000 hello"] = { server = "bookwake", version = "1.0", protocols = { 1 } }
    end)

    after_each(function()
        assert.same({}, T.failures())
        koreader.stop()
    end)

    local function type_address(address)
        screen.choose("Bookwake", "Connect to your server")
        screen.type(address)
        screen.press("Next")
        T.wait(1)
    end

    it("takes a code that a person read on the web page", function()
        type_address("192.168.1.20:8000/")
        assert.truthy(screen.texts():find("Found Bookwake 1.0 at http://192.168.1.20:8000", 1, true))
        screen.press("Type a code from the web page")
        core.answers.pair = function(body, request)
            assert.is_false(request.token)
            assert.equal("Emulator", body.model)
            assert.equal("v2026.07.2", body.koreader)
            assert.equal("1.0.0", body.plugin)
            if body.code ~= "ABC234" then
                return nil, { class = "refused", status = 403, code = "wrong-code" }
            end
            return PAIRED
        end
        screen.type("zzzzzz")
        screen.press("Connect")
        T.wait(1)
        assert.truthy(screen.texts():find("This code is wrong, was used already, or is too old", 1, true))
        screen.dismiss()
        screen.type(" abc-234 ")
        screen.press("Connect")
        T.wait(1)
        assert.equal("Connected. This reader is “Emulator”, and reads for Ada.", screen.texts())
        assert.equal("http://192.168.1.20:8000", core.device.record.address)
        assert.equal(PAIRED.token, core.device.paired_with)
        -- Everything is sent and matched at once.
        assert.equal("all", core.sync.calls[1][1])
    end)

    it("shows a code until somebody typed it on the web page", function()
        local polls = 0
        core.answers["pair/begin"] = {
            code = "K7MN2P",
            secret = "s",
            expires_in = 600,
            page = "http://192.168.1.20:8000/devices/koreader",
        }
        core.answers["pair/poll"] = function(body)
            assert.equal("s", body.secret)
            polls = polls + 1
            if polls == 2 then
                return nil, { class = "transport" } -- a hole in the Wi-Fi changes nothing
            end
            return polls < 4 and { waiting = true } or PAIRED
        end
        type_address("192.168.1.20:8000")
        screen.press("Show a code to type on the web page")
        T.wait(0.5)
        assert.truthy(screen.texts():find("K7M N2P\n\nhttp://192.168.1.20:8000/devices/koreader", 1, true))
        T.wait(20)
        assert.equal("Connected. This reader is “Emulator”, and reads for Ada.", screen.texts())
        assert.equal(4, polls)
    end)

    it("stops asking when the code is put away, and when it has ended", function()
        local polls = 0
        core.answers["pair/begin"] = { code = "K7MN2P", secret = "s", expires_in = 600, page = "p" }
        core.answers["pair/poll"] = function()
            polls = polls + 1
            return { waiting = true }
        end
        type_address("192.168.1.20:8000")
        screen.press("Show a code to type on the web page")
        T.wait(4)
        screen.press("Cancel")
        local before = polls
        T.wait(60)
        assert.equal(before, polls)
        core.answers["pair/poll"] = function()
            return nil, { class = "refused", status = 410, code = "expired" }
        end
        type_address("192.168.1.20:8000")
        screen.press("Show a code to type on the web page")
        T.wait(5)
        assert.equal("The code has ended. Begin again.", screen.texts())
    end)

    it("says what is at an address that is not Bookwake's", function()
        core.answers["http://10.0.0.1 hello"] = function()
            return nil, { class = "foreign" }
        end
        type_address("10.0.0.1")
        assert.truthy(screen.texts():find("What answers at http://10.0.0.1 is not Bookwake", 1, true))
        screen.dismiss()
        screen.type("ftp://books")
        screen.press("Next")
        assert.equal("An address begins with http:// or https://.", screen.texts())
        screen.dismiss()
        screen.type("http://ada:secret@books")
        screen.press("Next")
        assert.truthy(screen.texts():find("Leave out name and password", 1, true))
        screen.dismiss()
        screen.type("")
        screen.press("Next")
        assert.truthy(screen.texts():find("Type the address of your server", 1, true))
        assert.is_nil(core.device.record.address)
    end)

    it("tries what an address without a scheme can mean, the likelier first", function()
        local Address = require("bookwake_address")
        for typed, expected in pairs({
            ["books.example.org"] = { "https://books.example.org", "http://books.example.org" },
            ["192.168.1.20:8000"] = { "http://192.168.1.20:8000", "https://192.168.1.20:8000" },
            ["nas.local"] = { "http://nas.local", "https://nas.local" },
            ["raspberry"] = { "http://raspberry", "https://raspberry" },
            ["HTTPS://books.example.org/shelf/ "] = { "https://books.example.org/shelf" },
            ["http://[fe80::1]:8000"] = { "http://[fe80::1]:8000" },
        }) do
            assert.same(expected, (Address.candidates(typed)))
        end
        for __, bad in ipairs({ "", "  ", "mailto:x@y", "http://", 'http://a"b', "/books", "ftp://x" }) do
            local addresses, why = Address.candidates(bad)
            assert.is_nil(addresses)
            assert.equal("string", type(why))
        end
    end)

    it("tests the connection, and tells when the clock is off", function()
        fake_core.paired(core)
        core.answers.hello = {
            server = "bookwake",
            version = "1.2",
            time = os.time() + 3600,
            device = { name = "Libra" },
            person = "Ada",
        }
        screen.choose("Bookwake", "Test connection")
        T.wait(1)
        assert.truthy(screen.texts():find("Bookwake 1.2 at http://books.lan answers", 1, true))
        assert.truthy(screen.texts():find("The clock of this reader is 60 minutes off.", 1, true))
        assert.equal(1, core.scheduler.resets)
        screen.dismiss()
        core.answers.hello = function()
            return nil, { class = "unpaired", status = 401 }
        end
        screen.choose("Bookwake", "Test connection")
        T.wait(1)
        assert.truthy(screen.texts():find("not connected to your server any more", 1, true))
    end)

    it("disconnects after asking", function()
        fake_core.paired(core)
        screen.choose("Bookwake", "Settings", "Disconnect from the server")
        screen.press("Cancel")
        assert.is_true(core.device:is_paired())
        screen.choose("Bookwake", "Settings", "Disconnect from the server")
        screen.press("Disconnect")
        assert.is_false(core.device:is_paired())
        assert.equal("Connect to your server\nSettings\nAbout Bookwake", screen.menu_text("Bookwake"))
    end)

    describe("with a code inside the plugin", function()
        local lfs = require("lfs")
        local plugin

        -- A copy of the plugin with the file that the server puts inside.
        local function put(enrolment)
            plugin = T.plugin("bookwake")
            plugin.path = koreader.made
            local file = assert(io.open(koreader.made .. "/enrolment.json", "w"))
            file:write(enrolment)
            file:close()
        end
        local function exists(name)
            return lfs.attributes(koreader.made .. "/" .. name, "mode") == "file"
        end

        it("connects by itself, once, and deletes the code", function()
            put('{"server": "http://192.168.1.20:8000", "code": "longcode"}')
            core.answers.pair = function(body)
                assert.equal("longcode", body.code)
                return PAIRED
            end
            require("bookwake_enrolment").begin(plugin)
            T.wait(1)
            assert.is_false(exists("enrolment.json"))
            assert.equal(PAIRED.token, core.device.paired_with)
            local notes = require("ui/widget/notification").past
            assert.equal("Connected to Bookwake for Ada.", notes[#notes])
        end)

        it("waits for the network, and tries again after a failure", function()
            put('{"server": "http://192.168.1.20:8000", "code": "longcode"}')
            T.offline()
            require("bookwake_enrolment").begin(plugin)
            assert.equal(0, #core.asked)
            T.online()
            require("bookwake_enrolment").begin(plugin)
            T.wait(1)
            assert.is_true(exists("enrolment.json"))
            core.answers.pair = PAIRED
            require("bookwake_enrolment").begin(plugin)
            T.wait(1)
            assert.is_false(exists("enrolment.json"))
        end)

        it("puts a code aside that was used, and a file that is none", function()
            put('{"server": "http://192.168.1.20:8000", "code": "old"}')
            core.answers.pair = function()
                return nil, { class = "refused", status = 403, code = "wrong-code" }
            end
            require("bookwake_enrolment").begin(plugin)
            T.wait(1)
            assert.is_true(exists("enrolment.json.bad"))
            put("os.execute('rm -rf /')")
            require("bookwake_enrolment").begin(plugin)
            assert.is_false(exists("enrolment.json"))
            assert.is_false(core.device:is_paired())
        end)
    end)
end)
