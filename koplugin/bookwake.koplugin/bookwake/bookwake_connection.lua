--- Test connection: whether the server is there and knows this reader.
local InfoMessage = require("ui/widget/infomessage")
local Introduction = require("bookwake_introduction")
local NetworkMgr = require("ui/network/manager")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")
local T = require("ffi/util").template
local time = require("ui/time")

local Connection = {}

local function tell(text)
    UIManager:show(InfoMessage:new({ text = text }))
end

--- Whether the server is there and knows us; also starts the automatic work again that failures had stopped.
function Connection.test(plugin)
    if NetworkMgr:willRerunWhenConnected(function()
        Connection.test(plugin)
    end) then
        return
    end
    local address = plugin.device.record.address
    local waiting = InfoMessage:new({ text = _("Asking the server…") })
    UIManager:show(waiting)
    local body = Introduction.of_this_reader()
    body.protocols = { 1 }
    local started = time.now()
    plugin.server:ask({
        path = "hello",
        body = body,
        on_done = function(answer, err)
            UIManager:close(waiting)
            if not answer or answer.server ~= "bookwake" then
                return tell(Words.of_error(err or { class = "foreign" }, address))
            end
            if plugin.scheduler.reset then
                plugin.scheduler:reset()
            end
            local skew = answer.time and math.abs(answer.time - os.time()) or 0
            local clock = skew > 120
                    and "\n" .. _.ngettext(
                        "The clock of this reader is a minute off.",
                        "The clock of this reader is %1 minutes off.",
                        math.floor(skew / 60)
                    )
                or ""
            local spent = time.to_s(time.since(started))
            return tell(
                T(
                    _("Bookwake %1 at %2 answers, in %3 seconds.\nThis reader is “%4”, and reads for %5."),
                    answer.version,
                    address,
                    string.format("%.1f", spent),
                    answer.device and answer.device.name or "",
                    answer.person or ""
                ) .. clock
            )
        end,
    })
end

return Connection
