--- Shows a line of text for two seconds, over whatever is there.
--
-- KOReader leaves out what does not say where it comes from unless the person asked for all notifications, so ours say
-- that they are always shown: after a jump nobody would know what happened.
local Notification = require("ui/widget/notification")

--- @param text
return function(text)
    Notification:notify(text, Notification.SOURCE_ALWAYS_SHOW)
end
