--- What a person sees of syncing while reading: a question about another place, and a line when something happened.
local _ = require("bookwake_gettext")
local toast = require("bookwake_toast")
local T = require("ffi/util").template

local ReadingScreen = {}

local function percent_of(place)
    return math.floor(place.percent * 100 + 0.5)
end

local function where_of(place)
    if place.chapter and place.chapter ~= "" then
        return T(_("%1 % (%2)"), percent_of(place), place.chapter)
    end
    return T(_("%1 %"), percent_of(place))
end

--- Whether to go to a place. Not answering is no answer: it is asked again when there is something newer.
function ReadingScreen.ask(place, on_yes, on_no)
    local ConfirmBox = require("ui/widget/confirmbox")
    local UIManager = require("ui/uimanager")
    UIManager:show(ConfirmBox:new({
        text = T(_("You were at %1 on %2. Go there?"), where_of(place), place.device or _("another device")),
        ok_text = _("Go there"),
        cancel_text = _("Stay here"),
        ok_callback = on_yes,
        cancel_callback = on_no,
    }))
end

--- @param kind "jumped", "no-place", "applied" or "state"
function ReadingScreen.tell(kind, about)
    if kind == "jumped" then
        toast(T(_("Gone to %1, where you stopped on %2."), where_of(about), about.device or _("another device")))
    elseif kind == "no-place" then
        toast(T(_("You are at %1 elsewhere; the place cannot be found in this file."), where_of(about)))
    elseif kind == "applied" then
        local came, went = about.placed, about.removed
        if came > 0 then
            toast(_.ngettext("One highlight came from elsewhere.", "%1 highlights came from elsewhere.", came))
        else
            toast(_.ngettext("One highlight was removed elsewhere.", "%1 highlights were removed elsewhere.", went))
        end
    end
end

--- What is on top of the screen.
function ReadingScreen.top()
    local UIManager = require("ui/uimanager")
    return UIManager.getTopmostVisibleWidget and UIManager:getTopmostVisibleWidget() or nil
end

return ReadingScreen
