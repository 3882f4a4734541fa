--- Words: making them comparable, and deciding whether a place still shows what it should.
--
-- Nothing is put into a book at a place that does not show the expected words (docs/reference/koreader.md 4.2): the
-- engine is asked what stands there, and when it is something else the words are searched for.
local Text = {}

local REPLACEMENT = "\239\191\189" -- U+FFFD

--- The same string as valid UTF-8 without NUL: what cannot be is replaced. Book titles and notes may hold anything.
function Text.utf8(text)
    if not text:find("[%z\128-\255]") then
        return text
    end
    local result, at, length = {}, 1, #text
    while at <= length do
        local first = text:byte(at)
        local width = 0
        if first > 0 and first < 0x80 then
            local last = (text:find("[%z\128-\255]", at) or length + 1) - 1
            width = last - at + 1
        elseif text:find("^[\194-\223][\128-\191]", at) then
            width = 2
        elseif
            text:find("^\224[\160-\191][\128-\191]", at)
            or text:find("^[\225-\236\238\239][\128-\191][\128-\191]", at)
            or text:find("^\237[\128-\159][\128-\191]", at)
        then
            width = 3
        elseif
            text:find("^\240[\144-\191][\128-\191][\128-\191]", at)
            or text:find("^[\241-\243][\128-\191][\128-\191][\128-\191]", at)
            or text:find("^\244[\128-\143][\128-\191][\128-\191]", at)
        then
            width = 4
        end
        if width > 0 then
            result[#result + 1] = text:sub(at, at + width - 1)
            at = at + width
        else
            if first > 0 then
                result[#result + 1] = REPLACEMENT
            end
            at = at + 1
        end
    end
    return table.concat(result)
end

--- The first `count` characters of a text (not bytes).
function Text.first(text, count)
    local at, seen = 1, 0
    while at <= #text and seen < count do
        at = at + 1
        while at <= #text and text:byte(at) >= 0x80 and text:byte(at) < 0xC0 do
            at = at + 1
        end
        seen = seen + 1
    end
    return text:sub(1, at - 1)
end

--- The last `count` characters of a text.
function Text.last(text, count)
    local at, seen = #text + 1, 0
    while at > 1 and seen < count do
        at = at - 1
        while at > 1 and text:byte(at) >= 0x80 and text:byte(at) < 0xC0 do
            at = at - 1
        end
        seen = seen + 1
    end
    return text:sub(at)
end

--- How many characters a text has.
function Text.length(text)
    local _, count = text:gsub("[^\128-\191]", "")
    return count
end

-- U+00A0, U+1680, U+2000–U+200A, U+2028, U+2029, U+202F, U+205F, U+3000: white space that is not ASCII
local function plain_spaces(text)
    text = text:gsub("\194\160", " "):gsub("\225\154\128", " "):gsub("\226\128[\128-\138\168\169\175]", " ")
    return (text:gsub("\226\129\159", " "):gsub("\227\128\128", " "))
end

--- For comparison: without soft hyphens, zero-width characters and white space at the ends, runs of white space as one.
-- @param nfc optional: a function that composes characters (KOReader's utf8proc)
function Text.normalise(text, nfc)
    text = text:gsub("\194\173", ""):gsub("\226\128[\139-\141]", ""):gsub("\239\187\191", "")
    text = plain_spaces(text):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
    if nfc then
        text = nfc(text) or text
    end
    return text
end

-- Marks that readers and typesetters exchange for each other.
local ALIKE = {
    ["\226\128\152"] = "'", -- ‘
    ["\226\128\153"] = "'", -- ’
    ["\226\128\154"] = "'", -- ‚
    ["\226\128\155"] = "'", -- ‛
    ["\226\128\156"] = '"', -- “
    ["\226\128\157"] = '"', -- ”
    ["\226\128\158"] = '"', -- „
    ["\226\128\159"] = '"', -- ‟
    ["\226\128\144"] = "-", -- ‐
    ["\226\128\145"] = "-", -- non-breaking hyphen
    ["\226\128\146"] = "-", -- figure dash
    ["\226\128\147"] = "-", -- –
    ["\226\128\148"] = "-", -- —
    ["\226\128\166"] = "...", -- …
}

--- For a second chance: quotes and dashes of any kind alike, no white space at all (a paragraph's end is a line feed
-- for one reader and nothing for another).
function Text.loose(text, nfc)
    text = Text.normalise(text, nfc):gsub("\226\128[\144-\148\152-\159\166]", ALIKE)
    return (text:gsub("%s", ""))
end

--- Whether a place shows the words it should: "same", "alike" (other quotes, dashes, spaces) or "different".
function Text.verify(shown, expected, nfc)
    if Text.normalise(shown, nfc) == Text.normalise(expected, nfc) then
        return "same"
    end
    local loose = Text.loose(shown, nfc)
    if loose ~= "" and loose == Text.loose(expected, nfc) then
        return "alike"
    end
    return "different"
end

--- Which of several places where the words stand is meant.
-- A single hit is taken if its surroundings do not speak against it; of several only one whose surroundings alone fit.
-- @param hits list of `{before, after}`: the words around each
-- @param before, after words that should stand around it, or nil
-- @return the index of the hit, or nil and "not-found" or "ambiguous"
function Text.choose(hits, before, after, nfc)
    if #hits == 0 then
        return nil, "not-found"
    end
    local function fits(shown, expected, at_end)
        if not expected or expected == "" or not shown or shown == "" then
            return 0
        end
        local a, b = Text.loose(shown, nfc), Text.loose(expected, nfc)
        -- One less than there is: the first and last may be half a character, or half a word.
        local count = math.min(Text.length(a) - 1, Text.length(b) - 1, 24)
        if count <= 0 then
            return 0
        end
        local cut = at_end and Text.last or Text.first
        return cut(a, count) == cut(b, count) and 1 or -1
    end
    local best, best_score, ties
    for index, hit in ipairs(hits) do
        local score = fits(hit.before, before, true) + fits(hit.after, after, false)
        if not best_score or score > best_score then
            best, best_score, ties = index, score, 1
        elseif score == best_score then
            ties = ties + 1
        end
    end
    if #hits == 1 then
        if best_score <= -2 then
            return nil, "not-found"
        end
        return best
    end
    if best_score >= 1 and ties == 1 then
        return best
    end
    return nil, "ambiguous"
end

return Text
