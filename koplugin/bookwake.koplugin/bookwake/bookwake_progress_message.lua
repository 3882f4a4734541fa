--- A message that says how far something is, and changes while it goes on. Tapping it away asks `on_dismiss`, if given.
local InfoMessage = require("ui/widget/infomessage")
local UIManager = require("ui/uimanager")
local time = require("ui/time")

local ProgressMessage = {}
ProgressMessage.__index = ProgressMessage

--- @param on_dismiss what happens on a tap; without it the message goes and what it is about goes on
function ProgressMessage.new(on_dismiss)
    return setmetatable({ on_dismiss = on_dismiss, last = nil }, ProgressMessage)
end

function ProgressMessage:_close()
    if self.message then
        self.message.dismiss_callback = nil
        UIManager:close(self.message)
        self.message = nil
    end
end

--- Shows a text. Without `at_once` not more often than each second: an e-ink screen should not flicker.
function ProgressMessage:show(text, at_once)
    local now = time.now()
    if self.is_closed or (not at_once and self.last and now - self.last < time.s(1)) then
        return
    end
    self.last = now
    self:_close()
    self.message = InfoMessage:new({
        text = text,
        dismiss_callback = function()
            self.message = nil
            if self.on_dismiss then
                self.on_dismiss()
            else
                self.is_closed = true
            end
        end,
    })
    UIManager:show(self.message)
    UIManager:forceRePaint()
end

function ProgressMessage:close()
    self.is_closed = true
    self:_close()
end

return ProgressMessage
