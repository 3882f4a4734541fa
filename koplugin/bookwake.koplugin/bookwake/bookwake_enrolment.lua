--- The plugin that a person downloads has a code inside: it is traded for a token as soon as there is a network.
local Address = require("bookwake_address")
local Introduction = require("bookwake_introduction")
local NetworkMgr = require("ui/network/manager")
local _ = require("bookwake_gettext")
local toast = require("bookwake_toast")
local T = require("ffi/util").template

local Enrolment = {}

local ENROLMENT = "enrolment.json"

--- Trades the code that came inside a downloaded plugin for a token, as soon as there is a network.
function Enrolment.begin(plugin)
    local path = plugin.path .. "/" .. ENROLMENT
    local file = io.open(path, "rb")
    if not file then
        return
    end
    local text = file:read(4096)
    file:close()
    local enrolment = require("rapidjson").decode(text or "")
    local is_sound = type(enrolment) == "table" and type(enrolment.server) == "string"
    local address = is_sound and Address.candidates(enrolment.server)
    if not address or type(enrolment.code) ~= "string" then
        os.rename(path, path .. ".bad")
        return
    end
    if plugin.device:is_paired() and plugin.device.record.address == address[1] then
        os.remove(path) -- the plugin was put here once more
        return
    end
    if Enrolment.enrolling or not NetworkMgr:isConnected() then
        return
    end
    Enrolment.enrolling = true
    local body = Introduction.for_pairing()
    body.code = enrolment.code
    plugin.server:ask({
        path = "pair",
        address = address[1],
        token = false,
        body = body,
        on_done = function(answer, err)
            Enrolment.enrolling = false
            if answer and answer.token and answer.device then
                if plugin.device:pair(address[1], answer) then
                    os.remove(path)
                    toast(T(_("Connected to Bookwake for %1."), answer.person))
                end
            elseif err and err.code == "wrong-code" then
                os.rename(path, path .. ".bad")
                toast(_("Bookwake: the code inside the plugin is too old. Connect in the Tools menu."))
            end
        end,
    })
end

return Enrolment
