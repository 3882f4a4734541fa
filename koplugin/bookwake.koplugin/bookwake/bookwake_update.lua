--- Gets a newer build of this plugin and puts it on trial; `main.lua` starts it, and goes back if it does not run.
--
-- A package is taken only if its manifest is signed with what only we and the server know (docs/plugin-protocol.md,
-- Update) and its bytes are those of the manifest. A build is in its place only when every file of it is there and
-- can be read.
local _ = require("bookwake_gettext")
local lfs = require("libs/libkoreader-lfs")
local sha2 = require("ffi/sha2")
local util = require("util")
local Zip = require("bookwake_zip")

local Update = {}

local LARGEST = 4 * 1024 * 1024 -- bytes of a package
local BATTERY = 20 -- percent
local PREFIX = "bookwake.koplugin/bookwake/"

local function problem(message)
    return { class = "update", message = message }
end

local function remove(path)
    if lfs.symlinkattributes(path, "mode") == "directory" then
        for name in lfs.dir(path) do
            if name ~= "." and name ~= ".." then
                remove(path .. "/" .. name)
            end
        end
        return lfs.rmdir(path)
    end
    return os.remove(path)
end

--- Whether a manifest was made by the server that gave us this token.
function Update.is_signed(manifest, token)
    if type(manifest) ~= "table" or type(manifest.version) ~= "string" or type(manifest.signature) ~= "string" then
        return false
    elseif type(manifest.size) ~= "number" or type(manifest.sha256) ~= "string" then
        return false
    end
    local text = ("%s\n%d\n%s"):format(manifest.version, manifest.size, manifest.sha256)
    return sha2.hmac(sha2.sha256, sha2.sha256(token), text) == manifest.signature
end

--- A sentence if this is no moment for an update, else nil.
function Update.not_now()
    local shim = package.loaded["bookwake_shim"]
    if not shim or not shim.builds then
        return _("This reader has no place for updates. Install the plugin by hand.")
    elseif shim.is_on_trial then
        return _("The last update is still on trial. Try again in a minute.")
    end
    local ok, power = pcall(function()
        return require("device"):getPowerDevice()
    end)
    if ok and power then
        local known, capacity = pcall(power.getCapacity, power)
        local charging = select(2, pcall(power.isCharging, power)) == true
        -- Where there is no battery, 0 is what KOReader knows of it.
        if known and type(capacity) == "number" and capacity > 0 and capacity < BATTERY and not charging then
            return _("The battery is too low for an update. Charge the reader first.")
        end
    end
end

-- The files of a package by their name inside the build; nil if one of them is none of a build.
local function unpacked(bytes)
    local files = {}
    for _, entry in ipairs(Zip.entries(bytes) or {}) do
        -- `main.lua` and `_meta.lua` stay as they are.
        if entry.name:sub(1, #PREFIX) == PREFIX then
            local name = entry.name:sub(#PREFIX + 1)
            if not (name:match("^[%w_]+%.lua$") or name:match("^l10n/[%w_]+%.pot?$")) then
                return nil
            end
            files[name] = entry.bytes
        end
    end
    return files
end

-- Every file can be read by Lua, and the build says that it is what it is taken for.
local function is_sound(files, version)
    if not files["bookwake_plugin.lua"] or not files["bookwake_version.lua"] then
        return false
    end
    for name, bytes in pairs(files) do
        -- Bytecode would not be looked at by anybody.
        if name:match("%.lua$") and (bytes:sub(1, 1) == "\27" or not loadstring(bytes, "=" .. name)) then
            return false
        end
    end
    return files["bookwake_version.lua"]:match('return%s+"([%w%.%-+]+)"') == version
end

--- Unpacks a package into a build and puts it on trial with the next start. True, or nil and an error.
function Update.stage(core, bytes, manifest)
    local shim = package.loaded["bookwake_shim"]
    local version = manifest.version
    if not version:match("^%d[%w%.%-+]*$") then
        return nil, problem(_("The update has no version that can be."))
    end
    local files = unpacked(bytes)
    if not files or not is_sound(files, version) then
        return nil, problem(_("The update is damaged. Nothing was changed."))
    end
    local build, making = shim.builds .. "/" .. version, shim.builds .. "/making"
    remove(making)
    for name, content in pairs(files) do
        local target = making .. "/" .. name
        util.makePath(target:match("^(.*)/"))
        local ok, why = core.files.write(target, content)
        if not ok then
            return nil, problem(tostring(why))
        end
    end
    local state = shim.read()
    if state.current == version or state.before == version then
        return nil, problem(_("This version is here already."))
    elseif state.pending then
        state.pending, state.trials = nil, nil
        if not shim.write(state) then
            return nil, problem(_("The update could not be noted down."))
        end
    end
    remove(build)
    if not os.rename(making, build) then
        return nil, problem(_("The update could not be put into its place."))
    end
    state.pending, state.trials = version, 0
    if not shim.write(state) then
        return nil, problem(_("The update could not be noted down."))
    end
    return true
end

--- Downloads and stages an update. `on_done(done, err)`.
function Update.install(core, manifest, on_done)
    local why = Update.not_now()
    local token = core.device:token()
    if why then
        return on_done(nil, problem(why))
    elseif not token or not Update.is_signed(manifest, token) then
        return on_done(nil, problem(_("The update is not signed by your server. Nothing was changed.")))
    elseif manifest.size > LARGEST then
        return on_done(nil, problem(_("The update is too large to be one.")))
    end
    local shim = package.loaded["bookwake_shim"]
    util.makePath(shim.builds)
    local path = shim.builds .. "/package.zip"
    core.server:fetch({
        path = "update",
        to = path,
        most = LARGEST,
        on_done = function(_headers, err)
            if err then
                return on_done(nil, err)
            end
            local bytes = core.files.read(path, LARGEST)
            local done
            if not bytes or #bytes ~= manifest.size or sha2.sha256(bytes) ~= manifest.sha256 then
                err = problem(_("The update is damaged. Nothing was changed."))
            else
                done, err = Update.stage(core, bytes, manifest)
            end
            os.remove(path)
            return on_done(done, err)
        end,
    })
end

--- The running build works: it is the current one now. What is older than the one before it is removed.
function Update.confirm()
    local shim = package.loaded["bookwake_shim"]
    if not shim or not shim.is_on_trial then
        return false
    end
    local state = shim.read()
    if state.pending ~= shim.running then
        return false
    end
    local oldest = state.before
    state.before, state.current, state.pending, state.trials, state.back = state.current, state.pending, nil, nil, nil
    if not shim.write(state) then
        return false
    end
    shim.is_on_trial = false
    if oldest and oldest ~= state.current and oldest ~= state.before then
        remove(shim.builds .. "/" .. oldest)
    end
    return true
end

--- The version that was taken back, for the server to know.
function Update.taken_back()
    local shim = package.loaded["bookwake_shim"]
    return shim and shim.builds and shim.read().back or nil
end

return Update
