--- Takes a package apart: a zip whose entries are stored as they are, as our server makes it.
--
-- KOReader has no one way with archives: `ffi/archiver` since v2025.08, before that tar alone, by a program beside it.
local Zip = {}

--- @param bytes of the whole zip
-- @return list of `{name, bytes}`; nil for what is none, was cut, or is compressed
function Zip.entries(bytes)
    local function number(at, count)
        local value = 0
        for i = count - 1, 0, -1 do
            value = value * 256 + (bytes:byte(at + i) or 0)
        end
        return value
    end
    local function is_at(at, sign)
        return at >= 1 and bytes:sub(at, at + 3) == sign
    end
    local tail = #bytes - 21 -- there is no comment behind it
    if not is_at(tail, "PK\5\6") then
        return nil
    end
    local entries, at = {}, number(tail + 16, 4) + 1
    for _ = 1, number(tail + 10, 2) do
        local method, size, head = number(at + 10, 2), number(at + 24, 4), number(at + 42, 4) + 1
        local first = head + 30 + number(head + 26, 2) + number(head + 28, 2)
        if not is_at(at, "PK\1\2") or not is_at(head, "PK\3\4") or method ~= 0 or first + size > tail then
            return nil
        end
        local name = number(at + 28, 2)
        table.insert(entries, { name = bytes:sub(at + 46, at + 45 + name), bytes = bytes:sub(first, first + size - 1) })
        at = at + 46 + name + number(at + 30, 2) + number(at + 32, 2)
    end
    return entries
end

return Zip
