--- Names of downloaded files, from a template: folders by slashes, parts in braces.
--
--     {series} {volume} {volume:00} {title} {author} {book_type}   Lower(…)   Upper(…)
--
-- A part without a value takes what belongs to it along: the dash between, the "Vol." before, the brackets around. What
-- comes out is a path below the folder of downloads that every file system can hold.
local _ = require("bookwake_gettext")
local T = require("ffi/util").template

local FileName = {}

FileName.SERIES = "{series}/Vol. {volume} — {title}"
FileName.FLAT = "{series} — Vol. {volume} — {title}"

local MOST = 120 -- bytes of one folder or name: FAT and eCryptfs both hold it

local PARTS = {
    series = true,
    volume = true,
    ["volume:0"] = true,
    ["volume:00"] = true,
    ["volume:000"] = true,
    title = true,
    author = true,
    book_type = true,
}

--- Reads a template: list of `{literal}`, `{part}`, with `case` where Lower or Upper is around it. Else nil and why.
function FileName.parse(template)
    local parts, at, case = {}, 1, nil
    while at <= #template do
        local fold, after = template:match("^(%u%l+)%(()", at)
        if not case and (fold == "Lower" or fold == "Upper") then
            case, at = fold, after
        elseif case and template:sub(at, at) == ")" then
            case, at = nil, at + 1
        elseif template:sub(at, at) == "{" then
            local name, behind = template:match("^{([^{}]*)}()", at)
            if not name then
                return nil, _("A brace is not closed.")
            elseif not PARTS[name] then
                return nil, T(_("There is no part {%1}."), name)
            end
            table.insert(parts, { part = name, case = case })
            at = behind
        elseif template:sub(at, at) == "}" then
            return nil, _("A brace is closed that was not opened.")
        else
            local stop = template:find("[{}%)LU]", at + 1) or #template + 1
            if not case then
                stop = template:find("[{}LU]", at + 1) or #template + 1
            end
            table.insert(parts, { literal = template:sub(at, stop - 1), case = case })
            at = stop
        end
    end
    if case then
        return nil, T(_("%1( is not closed."), case)
    end
    return parts
end

--- True, or nil and a sentence for the person who typed it.
function FileName.check(template)
    local parts, why = FileName.parse(template)
    if not parts then
        return nil, why
    end
    for _index, part in ipairs(parts) do
        if part.part == "title" or part.part == "volume" or (part.part or ""):match("^volume:") then
            return true
        end
    end
    return nil, _("Without {title} or {volume} all books would have one name.")
end

local function value_of(part, book)
    local name, digits = part:match("^(%a+):(0+)$")
    name = name or part
    if name == "volume" then
        local number = tonumber(book.series_index)
        if not number or not book.series then
            return ""
        end
        if number ~= math.floor(number) then
            local whole = digits and string.format("%0" .. #digits .. "d", math.floor(number)) or math.floor(number)
            return whole .. (tostring(number):match("%.%d+$") or "")
        end
        return string.format(digits and "%0" .. #digits .. "d" or "%d", number)
    elseif name == "author" then
        return type(book.authors) == "table" and book.authors[1] or ""
    elseif name == "book_type" then
        return book.type or ""
    end
    return book[name] and tostring(book[name]) or ""
end

-- What separates two parts, at the beginning or the end of a literal.
local DASHES = { "—", "–", "-", "_", ",", ":", "·", "." }

local function without_head(text)
    local before
    repeat
        before = text
        text = text:gsub("^%s+", "")
        for _index, dash in ipairs(DASHES) do
            if text:sub(1, #dash) == dash then
                text = text:sub(#dash + 1)
            end
        end
    until text == before
    return text
end

local function without_tail(text)
    local before
    repeat
        before = text
        text = text:gsub("%s+$", "")
        for _index, dash in ipairs(DASHES) do
            if #text >= #dash and text:sub(-#dash) == dash then
                text = text:sub(1, -#dash - 1)
            end
        end
    until text == before
    return text
end

--- A value as part of a name: no slash, nothing that FAT refuses.
local function harmless(value)
    value = value:gsub("[/\\]", "-"):gsub("%s+", " "):gsub('[%c%*%?"<>|]', ""):gsub("%s*:%s*", " - ")
    return (value:gsub("^[%s%.]+", ""):gsub("%s+$", ""))
end

local function shortened(name)
    if #name <= MOST then
        return name
    end
    return without_tail((name:sub(1, MOST):gsub("[\192-\255][\128-\191]*$", "")))
end

local function cased(text, case)
    if not case then
        return text
    end
    local ok, lower = pcall(function()
        return require("ffi/utf8proc").lowercase_dumb
    end)
    if case == "Lower" then
        return ok and lower and lower(text) or text:lower()
    end
    return text:upper()
end

-- One folder or name from its pieces, `{literal}` and `{value}` in order.
local function join(pieces)
    local out = ""
    local waiting = "" -- literals that wait for a value behind them
    local after_gap = false
    for _index, piece in ipairs(pieces) do
        if piece.literal then
            -- Behind a value that is not there one separator is too many, or has nothing before it.
            local is_spare = after_gap and (out == "" or waiting ~= "")
            waiting = waiting .. (is_spare and without_head(piece.literal) or piece.literal)
            after_gap = false
        elseif piece.value ~= "" then
            out = out .. (out == "" and without_head(waiting) or waiting) .. piece.value
            waiting, after_gap = "", false
        else
            -- The label in front of it goes, too.
            waiting = without_tail((waiting:gsub("[%a#]+%.?%s*$", "")))
            after_gap = true
        end
    end
    out = out .. without_tail(waiting)
    out = out:gsub("%(%s*%)", ""):gsub("%[%s*%]", ""):gsub("%s+", " ")
    return (out:gsub("^%s+", ""):gsub("%s+$", ""))
end

--- The path of a book below the folder of downloads, without a suffix.
-- @param book as the server names it: `title`, `authors`, `series`, `series_index`, `id`
function FileName.of(template, book)
    local parts = FileName.parse(template) or FileName.parse(FileName.SERIES)
    local segments = { {} }
    for _index, part in ipairs(parts) do
        if part.part then
            local value = harmless(value_of(part.part, book))
            table.insert(segments[#segments], { value = cased(value, part.case) })
        else
            local text = cased(part.literal, part.case)
            local first = true
            for piece in (text .. "/"):gmatch("([^/]*)/") do
                if not first then
                    table.insert(segments, {})
                end
                first = false
                if piece ~= "" then
                    table.insert(segments[#segments], { literal = piece })
                end
            end
        end
    end
    local names = {}
    for _index, pieces in ipairs(segments) do
        local name = shortened(harmless(join(pieces)))
        if name ~= "" and name ~= "." and name ~= ".." then
            table.insert(names, name)
        end
    end
    if #names == 0 or join(segments[#segments]) == "" then
        local title = harmless(book.title or "")
        table.insert(names, title ~= "" and shortened(title) or "book-" .. tostring(book.id or 0))
    end
    return table.concat(names, "/")
end

local EXAMPLE =
    { title = "The Lantern Keeper", series = "Harbour Tales", series_index = 2, authors = { "Ada Testwright" } }

--- What a template makes of two books, one in a series; nil and why it cannot be read.
function FileName.preview(template)
    local ok, why = FileName.check(template)
    if not ok then
        return nil, why
    end
    local single = { title = EXAMPLE.title, authors = EXAMPLE.authors }
    return FileName.of(template, EXAMPLE) .. ".epub\n\n" .. FileName.of(template, single) .. ".epub"
end

return FileName
