--- Sending the reading history because a person asked for it.
local History = require("bookwake_history")
local InfoMessage = require("ui/widget/infomessage")
local NetworkMgr = require("ui/network/manager")
local ProgressMessage = require("bookwake_progress_message")
local UIManager = require("ui/uimanager")
local Words = require("bookwake_words")
local _ = require("bookwake_gettext")
local T = require("ffi/util").template

local HistoryScreen = {}

local function summary(result, address)
    local lines = {}
    if result.error then
        if result.error.class == "database" then
            table.insert(lines, T(_("KOReader's statistics cannot be read: %1"), result.error.message))
        else
            table.insert(lines, Words.of_error(result.error, address))
            table.insert(lines, _("It goes on from here the next time."))
        end
    end
    if result.sent == 0 and not result.error then
        table.insert(lines, _("The server has your whole reading history."))
    elseif result.sent > 0 then
        table.insert(lines, _.ngettext("One page visit was sent.", "%1 page visits were sent.", result.sent))
    end
    if result.doubted > 0 then
        table.insert(
            lines,
            _.ngettext("One has a time that cannot be right.", "%1 have times that cannot be right.", result.doubted)
        )
    end
    if (result.received or 0) > 0 then
        local came = result.received
        table.insert(
            lines,
            _.ngettext("One page visit came from other devices.", "%1 page visits came from other devices.", came)
        )
    end
    return table.concat(lines, "\n")
end

--- Sends all that the server does not have, with progress; what was sent before an interruption stays sent.
function HistoryScreen.send(plugin)
    if not plugin.device:is_paired() then
        return require("bookwake_pairing").open(plugin)
    end
    if NetworkMgr:willRerunWhenConnected(function()
        HistoryScreen.send(plugin)
    end) then
        return
    end
    local progress = ProgressMessage.new()
    progress:show(_("Reading KOReader's statistics…"), true)
    History.flush(plugin.ui)
    plugin.scheduler:submit({
        key = "history",
        priority = "manual",
        start = function(finish)
            History.exchange(plugin.core, {
                receive = plugin.settings:get("receive_history"),
                on_progress = function(done, total)
                    progress:show(T(_("Sending reading history: %1 of %2"), done, total), done == total)
                end,
                on_done = function(result)
                    finish(result.error)
                    progress:close()
                    UIManager:show(InfoMessage:new({ text = summary(result, plugin.device.record.address) }))
                end,
            })
        end,
    })
end

return HistoryScreen
