--- Connecting this reader to a server: a code typed here, or a code shown here.
local Address = require("bookwake_address")
local ButtonDialog = require("ui/widget/buttondialog")
local InfoMessage = require("ui/widget/infomessage")
local Introduction = require("bookwake_introduction")
local NetworkMgr = require("ui/network/manager")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")
local ask = require("bookwake_question")
local T = require("ffi/util").template

local Pairing = {}

local POLL = 3 -- seconds between two questions whether somebody typed the code

local function tell(text)
    UIManager:show(InfoMessage:new({ text = text }))
end

local function paired(plugin, address, answer, touchmenu)
    local ok, err = plugin.device:pair(address, answer)
    if not ok then
        return tell(T(_("The connection could not be kept on this reader: %1."), tostring(err)))
    end
    if touchmenu then
        touchmenu:updateItems()
    end
    tell(T(_("Connected. This reader is “%1”, and reads for %2."), answer.device.name, answer.person))
    if plugin.sync then
        plugin.sync:all({ reason = "paired", files = require("bookwake_sidecar").opened_books() })
    end
end

-- A code that a person read on the web page

local function type_code(plugin, address, touchmenu)
    ask({
        title = _("Type the code"),
        description = T(_("It is on the Devices page of %1. It has six letters or digits and works for ten minutes."), address), -- luacheck: ignore 631
        input_hint = "ABC123",
        ok_text = _("Connect"),
        on_ok = function(text, close)
            local body = Introduction.for_pairing()
            body.code = text:gsub("[%s-]", ""):upper()
            if body.code == "" then
                return
            end
            plugin.server:ask({
                path = "pair",
                address = address,
                token = false,
                body = body,
                on_done = function(answer, err)
                    if answer and answer.token and answer.device then
                        close()
                        return paired(plugin, address, answer, touchmenu)
                    end
                    if err and err.code == "wrong-code" then
                        return tell(_("This code is wrong, was used already, or is too old. Take a new one."))
                    end
                    return tell(Words.of_error(err or { class = "foreign" }, address))
                end,
            })
        end,
    })
end

-- A code that this reader shows

local function show_code(plugin, address, touchmenu)
    local dialog, poll
    local open = true
    local function stop()
        open = false
        UIManager:unschedule(poll)
        if dialog then
            UIManager:close(dialog)
        end
    end
    plugin.server:ask({
        path = "pair/begin",
        address = address,
        token = false,
        body = Introduction.for_pairing(),
        on_done = function(begun, err)
            if not begun or not begun.code then
                return tell(Words.of_error(err or { class = "foreign" }, address))
            end
            poll = function()
                plugin.server:ask({
                    path = "pair/poll",
                    address = address,
                    token = false,
                    body = { secret = begun.secret },
                    on_done = function(answer, poll_err)
                        if not open then
                            return
                        elseif answer and answer.token then
                            stop()
                            return paired(plugin, address, answer, touchmenu)
                        elseif poll_err and poll_err.code == "expired" then
                            stop()
                            return tell(_("The code has ended. Begin again."))
                        elseif poll_err and (poll_err.class == "offline" or poll_err.class == "refused") then
                            stop()
                            return tell(Words.of_error(poll_err, address))
                        end
                        UIManager:scheduleIn(POLL, poll)
                    end,
                })
            end
            dialog = ButtonDialog:new({
                title = T(
                    _("Type this code on the Devices page:\n\n%1\n\n%2\n\nIt works for ten minutes."),
                    (begun.code:gsub("(...)(...)", "%1 %2")),
                    begun.page or address
                ),
                title_align = "center",
                dismissable = false,
                buttons = { { { text = _("Cancel"), callback = stop } } },
            })
            UIManager:show(dialog)
            UIManager:scheduleIn(POLL, poll)
        end,
    })
end

local function choose_way(plugin, address, hello, touchmenu)
    local dialog
    local function way(next_step)
        return function()
            UIManager:close(dialog)
            next_step(plugin, address, touchmenu)
        end
    end
    dialog = ButtonDialog:new({
        title = T(_("Found Bookwake %1 at %2. How do you want to connect?"), hello.version or "", address),
        title_align = "center",
        buttons = {
            { { text = _("Type a code from the web page"), callback = way(type_code) } },
            { { text = _("Show a code to type on the web page"), callback = way(show_code) } },
            { { text = _("Cancel"), callback = function()
                UIManager:close(dialog)
            end } },
        },
    })
    UIManager:show(dialog)
end

--- Asks for the address, then for the way.
function Pairing.open(plugin, touchmenu)
    if NetworkMgr:willRerunWhenConnected(function()
        Pairing.open(plugin, touchmenu)
    end) then
        return
    end
    ask({
        title = _("Address of your server"),
        description = _("As your browser shows it, for example http://192.168.1.20:8000"),
        input = plugin.device.record.address,
        input_hint = "http://",
        ok_text = _("Next"),
        on_ok = function(text, close)
            local addresses, why = Address.candidates(text)
            if not addresses then
                return tell(why)
            end
            local waiting = InfoMessage:new({ text = _("Looking for Bookwake…") })
            UIManager:show(waiting)
            Address.find(plugin.server, addresses, function(address, hello, where)
                UIManager:close(waiting)
                if not address then
                    return tell(Words.of_error(hello, where))
                end
                close()
                choose_way(plugin, address, hello, touchmenu)
            end)
        end,
    })
end

--- Forgets the server, after asking. What waits to be sent stays.
function Pairing.disconnect(plugin, touchmenu)
    local ConfirmBox = require("ui/widget/confirmbox")
    UIManager:show(ConfirmBox:new({
        text = _("Disconnect this reader from your server? What was not sent yet stays here, and is sent when you connect it again."), -- luacheck: ignore 631
        ok_text = _("Disconnect"),
        ok_callback = function()
            plugin.device:forget()
            if touchmenu then
                touchmenu:updateItems()
            end
        end,
    }))
end

return Pairing
