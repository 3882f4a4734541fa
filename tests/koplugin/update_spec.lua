-- Updates: signed, whole, on trial; whatever happens, and whenever the power goes, KOReader starts and the plugin is
-- there.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path

local fake_core = require("fake_core")
local koreader = require("koreader")
local lfs = require("lfs")
local standin = require("standin")
local update_package = require("update_package")

local CODE, PLUGIN = update_package.code, update_package.PLUGIN
local package_of, read = update_package.of, update_package.read

describe("An update", function()
    local T, screen, core

    -- KOReader starts; an installed build of the real plugin has a core that the spec commands.
    local function start(options)
        core = fake_core.install()
        options = options or {}
        if koreader.made then
            options.home, options.books = koreader.made .. "/koreader", koreader.books
        end
        T, screen = koreader.start(options)
        fake_core.paired(core)
    end

    local function restart(options)
        standin.stop()
        start(options)
    end

    local function running()
        local plugin = T.plugin("bookwake")
        return plugin and (plugin.version == "1.0.0" and "1.0.0" or plugin.version) or nil
    end

    local function manifest(version, content)
        local sha2 = require("ffi/sha2")
        local made = { version = version, size = #content, sha256 = sha2.sha256(content) }
        local text = ("%s\n%d\n%s"):format(version, #content, made.sha256)
        made.signature = sha2.hmac(sha2.sha256, sha2.sha256("token"), text)
        return made
    end

    local function install(version, content, change)
        -- A small build makes no core of its own.
        core.files = core.files or dofile(CODE .. "bookwake_files.lua").new(lfs, require("ffi/util"))
        local made = manifest(version, content)
        for name, value in pairs(change or {}) do
            made[name] = value
        end
        core.answers.update = function()
            return content
        end
        local done, err
        require("bookwake_update").install(core, made, function(...)
            done, err = ...
        end)
        T.wait(1)
        return done, err and err.message
    end

    local function shim()
        return require("bookwake_shim")
    end

    before_each(function()
        start()
    end)
    after_each(koreader.stop)

    it("is offered, installed, tried, and confirms itself after a minute", function()
        local content = package_of("1.1.0")
        core.answers.hello = { server = "bookwake", update = manifest("1.1.0", content) }
        core.answers.update = function()
            return content
        end
        screen.choose("Bookwake", "Look for an update")
        T.wait(1)
        assert.truthy(screen.texts():find("Version 1.1.0 of Bookwake is there", 1, true))
        screen.press("Install")
        T.wait(1)
        assert.truthy(screen.texts():find("runs after the next start of KOReader", 1, true))
        screen.press("Restart later")
        assert.equal("1.0.0", running())
        restart()
        assert.equal("1.1.0", running())
        assert.is_true(shim().is_on_trial)
        T.wait(61)
        assert.is_false(shim().is_on_trial)
        assert.equal("1.1.0", shim().read().current)
        restart()
        assert.equal("1.1.0", running())
        assert.is_nil(shim().is_on_trial)
    end)

    it("is taken back after two starts that did not last", function()
        assert.is_true(install("1.1.0", package_of("1.1.0")))
        for _ = 1, 2 do
            standin.kill() -- it froze, and somebody pressed the button for ten seconds
            start()
            assert.equal("1.1.0", running())
            T.wait(20)
        end
        standin.kill()
        start()
        assert.equal("1.0.0", running())
        assert.equal("1.1.0", require("bookwake_introduction").of_this_reader().rolled_back)
        assert.is_nil(require("bookwake_introduction").for_pairing().rolled_back)
    end)

    for what, text in pairs({
        ["fails when it is loaded"] = 'error("broken")',
        ["needs a module that is not there"] = 'return require("bookwake_nothing")',
        ["gives no class"] = "return 5",
    }) do
        it("is left at once when it " .. what, function()
            assert.is_true(install("1.1.0", package_of("1.1.0", { ["bookwake_plugin.lua"] = text })))
            restart()
            assert.equal("1.0.0", running())
            assert.equal("1.1.0", shim().read().back)
            assert.same({}, T.failures())
        end)
    end

    it("is taken back when its instances cannot be made", function()
        local text = PLUGIN:gsub("self.version =", "error('no instance') self.version =")
        assert.is_true(install("1.1.0", package_of("1.1.0", { ["bookwake_plugin.lua"] = text })))
        restart()
        assert.is_nil(running())
        restart()
        T.wait(100)
        restart()
        assert.equal("1.0.0", running())
    end)

    it("goes back to the build before, of which one is kept", function()
        for _, version in ipairs({ "1.1.0", "1.2.0", "1.3.0" }) do
            assert.is_true(install(version, package_of(version)))
            restart()
            T.wait(61)
        end
        assert.equal("1.3.0", running())
        local builds = shim().builds
        assert.is_nil(lfs.attributes(builds .. "/1.1.0"))
        assert.is_not_nil(lfs.attributes(builds .. "/1.2.0"))
        -- The card loses a file of the current one.
        os.remove(builds .. "/1.3.0/bookwake_plugin.lua")
        restart()
        assert.equal("1.2.0", running())
        os.remove(builds .. "/1.2.0/bookwake_plugin.lua")
        restart()
        assert.equal("1.0.0", running())
    end)

    it("gives way to a newer version that was installed by hand", function()
        assert.is_true(install("0.9.0", package_of("0.9.0")))
        restart()
        assert.equal("1.0.0", running())
        assert.is_nil(shim().read().pending)
        assert.is_nil(shim().read().back)
    end)

    it("is refused when anything about it is not as it should be", function()
        local good = package_of("1.1.0")
        local unsigned = "The update is not signed by your server. Nothing was changed."
        local damaged = "The update is damaged. Nothing was changed."
        assert.same({ nil, unsigned }, { install("1.1.0", good, { signature = ("0"):rep(64) }) })
        assert.same({ nil, unsigned }, { install("1.1.0", good, { version = "1.1.1" }) })
        assert.same({ nil, unsigned }, { install("1.1.0", good, { size = 5 }) })
        assert.same({ nil, damaged }, { install("1.1.0", package_of("1.2.0")) })
        assert.same({ nil, damaged }, { install("1.1.0", good:sub(1, -100)) })
        assert.same({ nil, damaged }, { install("1.1.0", package_of("1.1.0", { ["bookwake_x.lua"] = "if" })) })
        assert.same({ nil, damaged }, { install("1.1.0", package_of("1.1.0", { ["bookwake_x.lua"] = "\27LJ" })) })
        assert.same({ nil, damaged }, { install("1.1.0", package_of("1.1.0", { ["../../../x.lua"] = "return 1" })) })
        assert.same({ nil, damaged }, { install("1.1.0", package_of("1.1.0", { ["bookwake_plugin.lua"] = false })) })
        assert.is_nil((install("../1", package_of("../1"))))
        core.answers.update = nil
        local _, err = (function()
            local done, problem
            require("bookwake_update").install(core, manifest("1.1.0", good), function(...)
                done, problem = ...
            end)
            T.wait(1)
            return done, problem
        end)()
        assert.equal("transport", err.class)
        assert.is_nil(shim().read().pending)
        assert.is_nil(lfs.attributes(shim().builds .. "/1.1.0"))
        restart()
        assert.equal("1.0.0", running())
    end)

    it("waits for a better moment: battery, a build on trial", function()
        standin.device.battery = 12
        assert.same({ nil, "The battery is too low for an update. Charge the reader first." }, { install("1.1.0", package_of("1.1.0")) }) -- luacheck: ignore 631
        standin.device.charging = true
        assert.is_true(install("1.1.0", package_of("1.1.0")))
        standin.device.battery, standin.device.charging = nil, nil
        restart()
        assert.same({ nil, "The last update is still on trial. Try again in a minute." }, { install("1.2.0", package_of("1.2.0")) }) -- luacheck: ignore 631
    end)

    it("takes a package whatever way with archives KOReader has", function()
        package.preload["ffi/archiver"] = function()
            error("module 'ffi/archiver' not found")
        end
        restart({ version = "v2024.07" })
        assert.is_true(install("1.1.0", package_of("1.1.0")))
        restart({ version = "v2024.07" })
        assert.equal("1.1.0", running())
    end)

    it("takes no package apart that is cut, changed or compressed", function()
        local good = package_of("1.1.0")
        local Zip = require("bookwake_zip")
        local entries = assert(Zip.entries(good))
        assert.same({ "bookwake.koplugin/bookwake/bookwake_gettext.lua" }, { entries[1].name })
        for at = 0, #good - 1, 97 do
            assert.is_nil(Zip.entries(good:sub(1, at)))
        end
        assert.is_nil(Zip.entries((good:gsub("PK\1\2....%z%z%z%z", function(head)
            return head:sub(1, 10) .. "\8\0"
        end, 1))))
        for at = #good - 400, #good do
            Zip.entries(good:sub(1, at - 1) .. string.char(255 - good:byte(at)) .. good:sub(at + 1)) -- does not fail
        end
    end)

    it("keeps KOReader whole when there is no code at all", function()
        local empty = koreader.made .. "/bookwake.koplugin"
        lfs.mkdir(empty)
        require("ffi/util").copyFile(koreader.plugin .. "/main.lua", empty .. "/main.lua")
        restart({ plugins = { empty } })
        assert.is_nil(running())
        assert.same("calibre\nexporter\nstatistics\nmore_tools", screen.menu_text())
    end)

    it("is not confused by a state that was cut short or is not ours", function()
        assert.is_true(install("1.1.0", package_of("1.1.0")))
        local path = shim().builds .. "/state"
        local whole = read(path)
        for length = 0, #whole - 1 do
            local file = io.open(path, "wb")
            file:write(whole:sub(1, length))
            file:close()
            assert.same({}, (function()
                local state = shim().read()
                return state
            end)())
        end
        local file = io.open(path, "wb")
        file:write("current=../../../evil\npending=/etc\ntrials=x\nend\n")
        file:close()
        restart()
        assert.equal("1.0.0", running())
    end)

    -- Every moment at which the power can go

    local function killer(limit)
        local count, dead = 0, false
        local real = { open = io.open, rename = os.rename, remove = os.remove, mkdir = lfs.mkdir, rmdir = lfs.rmdir }
        local function step()
            if dead then
                error("dead")
            end
            count = count + 1
            if count > limit then
                dead = true
                error("killed")
            end
        end
        local function guard(name)
            return function(...)
                step()
                return real[name](...)
            end
        end
        os.rename, os.remove, lfs.mkdir, lfs.rmdir = guard("rename"), guard("remove"), guard("mkdir"), guard("rmdir") -- luacheck: ignore
        io.open = function(path, mode) -- luacheck: ignore
            if not (mode or "r"):match("[wa]") then
                return real.open(path, mode)
            end
            step()
            local file, err = real.open(path, mode)
            if not file then
                return nil, err
            end
            local handle = {}
            function handle:write(...)
                local data = table.concat({ ... })
                if count >= limit then
                    file:write(data:sub(1, math.floor(#data / 2)))
                    file:flush()
                end
                step()
                return file:write(data) and self
            end
            function handle.flush()
                return file:flush()
            end
            function handle.close()
                return file:close()
            end
            return handle
        end
        return function()
            io.open, os.rename, os.remove = real.open, real.rename, real.remove -- luacheck: ignore
            lfs.mkdir, lfs.rmdir = real.mkdir, real.rmdir -- luacheck: ignore
            return dead
        end
    end

    it("can be cut off at every step of installing it", function()
        local content = package_of("1.1.0")
        local cut = 0
        for limit = 0, 200 do
            core.answers.update = function()
                return content
            end
            local made = manifest("1.1.0", content)
            local stop = killer(limit)
            pcall(function()
                require("bookwake_update").install(core, made, function() end)
                T.wait(1)
            end)
            if not stop() then
                break
            end
            cut = cut + 1
            standin.kill()
            start()
            local version = running()
            assert.is_true(version == "1.0.0" or version == "1.1.0", "step " .. limit)
            assert.same({}, T.failures())
            if version == "1.1.0" then
                -- It was noted down in the moment the power went: back to the beginning for the next step.
                shim().write({})
                restart()
            end
        end
        assert.is_true(cut > 20, "only " .. cut .. " steps")
        restart()
        assert.equal("1.1.0", running())
    end)

    it("can be cut off at every step of starting and confirming it", function()
        for limit = 0, 60 do
            assert.is_true(install("1.1.0", package_of("1.1.0")))
            standin.stop()
            local stop = killer(limit)
            pcall(function()
                start()
                T.wait(61)
            end)
            local dead = stop()
            standin.kill()
            start()
            local version = running()
            assert.is_true(version == "1.0.0" or version == "1.1.0", "step " .. limit)
            T.wait(61)
            restart()
            assert.equal("1.1.0", running())
            if not dead then
                return
            end
            shim().write({})
            restart()
            assert.equal("1.0.0", running())
        end
        error("it never came through")
    end)
end)
