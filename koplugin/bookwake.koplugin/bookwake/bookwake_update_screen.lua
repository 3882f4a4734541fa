--- Looking for an update and installing it, as a person sees it.
local ConfirmBox = require("ui/widget/confirmbox")
local InfoMessage = require("ui/widget/infomessage")
local Introduction = require("bookwake_introduction")
local NetworkMgr = require("ui/network/manager")
local UIManager = require("ui/uimanager")
local Update = require("bookwake_update")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")
local T = require("ffi/util").template
local util = require("util")

local UpdateScreen = {}

local function tell(text)
    UIManager:show(InfoMessage:new({ text = text }))
end

local function install(plugin, manifest)
    local waiting = InfoMessage:new({ text = T(_("Getting version %1…"), manifest.version) })
    UIManager:show(waiting)
    Update.install(plugin.core, manifest, function(done, err)
        UIManager:close(waiting)
        if not done then
            return tell(Words.of_error(err, plugin.device.record.address))
        end
        plugin.device:set({ update = false })
        return UIManager:askForRestart(
            T(_("Version %1 of Bookwake runs after the next start of KOReader. If it does not work, this one comes back."), manifest.version) -- luacheck: ignore 631
        )
    end)
end

--- Asks the server, then the person.
function UpdateScreen.open(plugin)
    if NetworkMgr:willRerunWhenConnected(function()
        UpdateScreen.open(plugin)
    end) then
        return
    end
    local body = Introduction.of_this_reader()
    body.protocols = { 1 }
    plugin.server:ask({
        path = "hello",
        body = body,
        on_done = function(answer, err)
            if not answer and err.class ~= "too-old" then
                return tell(Words.of_error(err, plugin.device.record.address))
            end
            local manifest = answer and answer.update or err and err.update
            plugin.device:set({ update = manifest or false })
            if not manifest then
                return tell(T(_("This is the newest version: %1."), require("bookwake_version")))
            end
            local why = Update.not_now()
            if why then
                return tell(why)
            end
            return UIManager:show(ConfirmBox:new({
                text = T(
                    _("Version %1 of Bookwake is there (%2). You have %3. Install it?"),
                    manifest.version,
                    util.getFriendlySize(manifest.size),
                    require("bookwake_version")
                ),
                ok_text = _("Install"),
                ok_callback = function()
                    install(plugin, manifest)
                end,
            }))
        end,
    })
end

return UpdateScreen
