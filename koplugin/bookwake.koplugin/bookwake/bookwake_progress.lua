--- Whether to go to the place where the person is elsewhere: by itself, after asking, or not at all.
--
-- A jump that nobody wanted is worse than none (docs/reference/koreader.md 9.6), and a place that the engine cannot
-- find would lead to page 1 and be taken for reading (5.6). Deciding is a function of values; going is the rest.
local Event = require("ui/event")
local Text = require("bookwake_text")
local XPointer = require("bookwake_xpointer")

local Progress = {}

--- @param place as pulled (`bookwake_protocol`)
-- @param here `locator`, `percent`, `told`: version of the place this reader shows or was told of, `read_at`: when a
-- page was last turned here, `turned`: pages turned since the book was opened, `since_open`: seconds
-- @param settings `newer`, `older`: "silently", "ask" or "never", for a place further on and further back
-- @return "nothing", "same" (we are there), "jump" or "ask", and a fixed reason
function Progress.decide(place, here, settings)
    if not place then
        return "nothing", "none"
    elseif place.here then
        return "nothing", "own"
    elseif here.told and place.version <= here.told then
        return "nothing", "known"
    elseif not place.locator then
        return "nothing", "no-exact-place"
    elseif here.locator and (place.locator == here.locator or XPointer.equal(place.locator, here.locator)) then
        return "same", "same"
    end
    local is_ahead = place.percent >= here.percent
    local wish = is_ahead and settings.newer or settings.older
    if wish == "never" then
        return "nothing", "never"
    end
    -- The server has decided that this place is the newer one; but what was read here later is not left unasked.
    local is_older = here.read_at and place.at and place.at <= here.read_at
    if wish == "silently" and here.turned == 0 and here.since_open < 60 and not is_older then
        return "jump", is_ahead and "ahead" or "back"
    end
    return "ask", is_ahead and "ahead" or "back"
end

--- Whether the engine knows the place and shows there the words that should be there.
-- @return the place in the engine's spelling, or nil
function Progress.check(ui, place)
    local document = ui.document
    if ui.paging then
        local page = tonumber(place.locator)
        return page and page >= 1 and page <= document:getPageCount() and page == math.floor(page) and page or nil
    end
    if not XPointer.canonical(place.locator) then
        return nil
    end
    local ok, found = pcall(document.getNormalizedXPointer, document, place.locator)
    if not ok or type(found) ~= "string" or not document:isXPointerInDocument(found) then
        return nil
    end
    local expected = Text.loose(place.text or "")
    if Text.length(expected) >= 8 then
        local page = document:getPageFromXPointer(found)
        local stop = page < document:getPageCount() and document:getPageXPointer(page + 1)
        local got, shown = pcall(document.getTextFromXPointers, document, found, stop or found)
        shown = got and type(shown) == "string" and Text.loose(shown) or ""
        local count = math.min(Text.length(shown), Text.length(expected), 20)
        if count >= 8 and Text.first(shown, count) ~= Text.first(expected, count) then
            return nil
        end
    end
    return found
end

--- Go there, so that KOReader's own "go back" and our "undo" lead back.
-- @param target of `check`
-- @return where the reader was
function Progress.go(ui, target)
    local before = ui.paging and ui.paging:getLastProgress() or ui.rolling:getLastProgress()
    if ui.link then
        ui.link:addCurrentLocationToStack()
    end
    if ui.paging then
        ui:handleEvent(Event:new("GotoPage", target))
    else
        ui:handleEvent(Event:new("GotoXPointer", target, target))
    end
    return before
end

return Progress
