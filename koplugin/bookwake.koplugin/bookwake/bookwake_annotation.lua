--- An annotation as KOReader keeps it, and as it is on the wire.
--
-- Our name for it is a field of the item itself: unknown fields survive loading, editing, saving and moving
-- (docs/reference/koreader.md 4.1). Its times are local wall clock without a zone.
local Annotation = {}

Annotation.KEY = "bookwake"

-- What has a field of its own on the wire, or belongs to this layout only.
local SPOKEN = {
    page = true, pos0 = true, pos1 = true, text = true, note = true, note_format = true, color = true, drawer = true,
    chapter = true, pageno = true, pageref = true, bookwake = true,
}
local STYLES = { lighten = true, underscore = true, strikeout = true, invert = true }

--- Seconds since 1970 of KOReader's local time, or nil.
function Annotation.seconds(text)
    if type(text) ~= "string" then
        return nil
    end
    local year, month, day, hour, minute, second = text:match("^(%d+)-(%d+)-(%d+) (%d+):(%d+):(%d+)$")
    return year
        and os.time({
            year = tonumber(year),
            month = tonumber(month),
            day = tonumber(day),
            hour = tonumber(hour),
            min = tonumber(minute),
            sec = tonumber(second),
        })
end

--- KOReader's local time of seconds since 1970.
function Annotation.stamp(seconds)
    return os.date("%Y-%m-%d %H:%M:%S", math.floor(seconds))
end

--- @param item of `ui.annotation.annotations` in a reflowable book
-- @return an entry (docs/plugin-protocol.md, `annotations`), nil for what is none
function Annotation.entry(item)
    local is_highlight = item.drawer ~= nil
    local pos0 = is_highlight and item.pos0 or item.page
    if type(pos0) ~= "string" or (is_highlight and type(item.pos1) ~= "string") then
        return nil
    end
    local native
    for key, value in pairs(item) do
        if not SPOKEN[key] and type(value) ~= "table" and type(value) ~= "function" then
            native = native or {}
            native[key] = value
        end
    end
    local note = type(item.note) == "string" and item.note ~= "" and item.note or nil
    return {
        name = item[Annotation.KEY],
        type = is_highlight and "highlight" or "bookmark",
        pos0 = pos0,
        pos1 = is_highlight and item.pos1 or nil,
        text = item.text,
        note = note,
        note_format = note and item.note_format or nil,
        colour = item.color,
        style = item.drawer,
        chapter = item.chapter,
        created_at = Annotation.seconds(item.datetime),
        changed_at = Annotation.seconds(item.datetime_updated) or Annotation.seconds(item.datetime),
        native = native,
    }
end

--- The entries of a whole list, each with its item.
-- @return list of entries, items by the entry
function Annotation.entries(items)
    local entries, origin = {}, {}
    for _, item in ipairs(items) do
        local entry = Annotation.entry(item)
        if entry then
            entries[#entries + 1] = entry
            origin[entry] = item
        end
    end
    return entries, origin
end

--- Whether an event says that its item was deleted. KOReaders before v2025.04 give no index: there the counts tell of a
-- highlight, and a bookmark is out of the list already.
-- @param items of `AnnotationsModified`; @param list of `ui.annotation`
function Annotation.is_deletion(items, list)
    local index = items.index_modified
    if type(index) == "number" then
        return index < 0
    end
    local item = items[1]
    if item.drawer ~= nil then
        return (items.nb_highlights_added or 0) + (items.nb_notes_added or 0) < 0
    end
    for _, other in ipairs(list) do
        if other == item then
            return false
        end
    end
    return true
end

--- A new item for what the server gives.
-- @param given an instruction (`bookwake_protocol`); @param pos0, pos1 checked and in the engine's spelling
-- @param more `colour`: what a highlight has that was given none; `chapter`; `now`
function Annotation.item(given, pos0, pos1, more)
    local is_highlight = given.type == "highlight"
    local native = type(given.native) == "table" and given.native or {}
    local datetime = Annotation.seconds(native.datetime) and native.datetime
    local item = {
        page = pos0,
        pos0 = is_highlight and pos0 or nil,
        pos1 = is_highlight and pos1 or nil,
        text = given.text or "",
        note = given.note ~= "" and given.note or nil,
        note_format = given.note and given.note_format or nil,
        drawer = is_highlight and (STYLES[given.style] and given.style or "lighten") or nil,
        color = is_highlight and (given.colour or more.colour) or nil,
        chapter = more.chapter or given.chapter,
        datetime = datetime or Annotation.stamp(given.created_at or more.now),
        text_edited = native.text_edited == true or nil,
    }
    if given.changed_at and given.changed_at ~= given.created_at then
        item.datetime_updated = Annotation.stamp(given.changed_at)
    end
    item[Annotation.KEY] = given.name
    return item
end

return Annotation
