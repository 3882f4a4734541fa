--- XPointers of crengine: one spelling for each place.
--
-- KOReader before and after DOM version 20260812 spells the same place in two ways (docs/reference/koreader.md 5.4):
-- `/body/DocFragment[3]/body/p[4]/text().12` and `/body[1]/DocFragment[3]/body[1]/p[4]/text()[1].12`. A step without an
-- index means the first of its name, so `[1]` is put at each of them.
local XPointer = {}

local LONGEST = 4000

--- The canonical spelling, or nil for what is no XPointer with a path.
function XPointer.canonical(text)
    if type(text) ~= "string" or #text > LONGEST or text:sub(1, 1) ~= "/" then
        return nil
    end
    local path, offset = text:match("^(.-)%.(%d+)$")
    if not path then
        path, offset = text, nil
    end
    local steps = {}
    for step in path:gmatch("/([^/]*)") do
        local name, index = step:match("^([%a_][%w_%-%.:]*)%[(%d+)%]$")
        if not name then
            name, index = step:match("^(text%(%))%[(%d+)%]$")
        end
        if not name and (step == "text()" or step:match("^[%a_][%w_%-%.:]*$")) then
            name, index = step, "1"
        end
        if name then
            index = index:gsub("^0+", "")
            if index == "" then
                return nil -- crengine counts from 1
            end
            steps[#steps + 1] = name .. "[" .. index .. "]"
        elseif step:match("^%d+$") then
            steps[#steps + 1] = step -- a child of any name; only ever read, never written
        else
            return nil
        end
    end
    if #steps == 0 then
        return nil
    end
    offset = offset and (offset:gsub("^0+(%d)", "%1"))
    return "/" .. table.concat(steps, "/") .. (offset and "." .. offset or "")
end

--- Whether two spellings name the same place.
function XPointer.equal(a, b)
    return a == b or (XPointer.canonical(a) ~= nil and XPointer.canonical(a) == XPointer.canonical(b))
end

--- The number of the content document in the spine, from 1; nil where there is none.
function XPointer.fragment(text)
    local canonical = XPointer.canonical(text)
    local number = canonical and canonical:match("^/body%[1%]/DocFragment%[(%d+)%]")
    return number and tonumber(number)
end

return XPointer
