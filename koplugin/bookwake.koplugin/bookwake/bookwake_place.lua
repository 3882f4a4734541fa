--- Finds a range in the open book, and believes only what shows the right words.
--
-- A position that cannot be resolved goes to page 1, and several of them keep a book from opening
-- (docs/reference/koreader.md 4.2; ../shared captures). So the engine is asked three things: does it know the place,
-- what stands there, and if that is something else, where the words are.
local Text = require("bookwake_text")

local Place = {}

local WHOLE = 200 -- characters that are searched for at once; longer ones by their ends
local ENDS = 60
local MOST_HITS = 50

-- What stands between two places, "" if nothing can be said.
local function shown(document, pos0, pos1)
    local ok, text = pcall(document.getTextFromXPointers, document, pos0, pos1)
    return ok and type(text) == "string" and text or ""
end

local function normalised(document, position)
    local ok, found = pcall(document.getNormalizedXPointer, document, position)
    return ok and type(found) == "string" and found ~= "" and found or nil
end
Place.normalised = normalised

-- Whether the words around a range are those that should be there: both sides known, and both fit.
local function is_between(document, pos0, pos1, given, nfc)
    if not document.getSelectedWordContext or not given.before or not given.after then
        return false
    end
    local ok, before, after = pcall(document.getSelectedWordContext, document, given.text or "", 12, pos0, pos1)
    if not ok or type(before) ~= "string" or type(after) ~= "string" then
        return false
    end
    local wanted_before, wanted_after = Text.loose(given.before, nfc), Text.loose(given.after, nfc)
    if Text.length(wanted_before) < 8 or Text.length(wanted_after) < 8 then
        return false
    end
    local function ends(a, b, cut)
        local count = math.min(Text.length(a), Text.length(b), 24)
        return count >= 8 and cut(a, count) == cut(b, count)
    end
    return ends(Text.loose(before, nfc), wanted_before, Text.last)
        and ends(Text.loose(after, nfc), wanted_after, Text.first)
end

local function search(document, pattern)
    local ok, hits = pcall(document.findAllText, document, pattern, false, 8, MOST_HITS, false)
    pcall(document.clearSelection, document)
    local found = {}
    for _, hit in ipairs(ok and type(hits) == "table" and hits or {}) do
        if hit.start and hit["end"] then
            found[#found + 1] = {
                pos0 = hit.start,
                pos1 = hit["end"],
                before = hit.prev_text,
                after = hit.next_text,
            }
        end
    end
    return found
end

local function line_of(text, last)
    local line
    for one in text:gmatch("[^\r\n]+") do
        if not last then
            return one
        end
        line = one
    end
    return line or text
end

-- Where the words stand; nil and why.
local function repair(document, given, nfc)
    local text = given.text or ""
    if text:match("^%s*$") then
        return nil, nil, "no-position"
    end
    local pos0, pos1
    if Text.length(text) <= WHOLE and not text:find("[\r\n]") then
        local hits = search(document, Text.normalise(text, nfc))
        local index, why = Text.choose(hits, given.before, given.after, nfc)
        if not index then
            return nil, nil, why
        end
        pos0, pos1 = hits[index].pos0, hits[index].pos1
    else
        local heads = search(document, Text.normalise(Text.first(line_of(text), ENDS), nfc))
        local head, why = Text.choose(heads, given.before, nil, nfc)
        if not head then
            return nil, nil, why
        end
        local tails = search(document, Text.normalise(Text.last(line_of(text, true), ENDS), nfc))
        local tail
        tail, why = Text.choose(tails, nil, given.after, nfc)
        if not tail then
            return nil, nil, why
        end
        pos0, pos1 = heads[head].pos0, tails[tail].pos1
    end
    if Text.verify(shown(document, pos0, pos1), text, nfc) == "different" then
        return nil, nil, "not-found"
    end
    return pos0, pos1
end

--- The places of a highlight in the engine's own spelling.
-- @param given `pos0`, `pos1`, `text`, `before`, `after`
-- @param options `nfc`; `may_search`: searching a book takes long
-- @return pos0, pos1, "verified" or "corrected"; or nil, nil and why: "not-found", "ambiguous", "no-position", "later"
function Place.range(document, given, options)
    local nfc = options.nfc
    local pos0, pos1 = normalised(document, given.pos0), normalised(document, given.pos1)
    if pos0 and pos1 and document:compareXPointers(pos0, pos1) == 1 then
        if given.text and Text.verify(shown(document, pos0, pos1), given.text, nfc) ~= "different" then
            return pos0, pos1, "verified"
        elseif is_between(document, pos0, pos1, given, nfc) then
            return pos0, pos1, "verified" -- a person has rewritten the words of the highlight
        end
    end
    if not options.may_search then
        return nil, nil, "later"
    end
    local why
    pos0, pos1, why = repair(document, given, nfc)
    pos0, pos1 = pos0 and normalised(document, pos0), pos1 and normalised(document, pos1)
    if not pos0 or not pos1 then
        return nil, nil, why or "not-found"
    end
    return pos0, pos1, "corrected"
end

--- The place of a bookmark.
function Place.point(document, given, options)
    local position = normalised(document, given.pos0)
    if not position or not document:isXPointerInDocument(position) then
        return nil, "not-found"
    end
    local after = given.after and Text.loose(given.after, options.nfc) or ""
    if Text.length(after) < 8 then
        return position
    end
    local page = document:getPageFromXPointer(position)
    local there = page < document:getPageCount() and shown(document, position, document:getPageXPointer(page + 1)) or ""
    there = Text.loose(there, options.nfc)
    local count = math.min(Text.length(there), Text.length(after), 24)
    if count >= 8 and Text.first(there, count) ~= Text.first(after, count) then
        return nil, "not-found"
    end
    return position
end

return Place
