--- Puts into the open book what the server gives: highlights, notes and bookmarks.
--
-- Only between a person's acts, only at places that show the right words, and so that nothing of it looks like an act
-- of the person afterwards. What became of each is written as one operation, before anything else happens.
local Annotation = require("bookwake_annotation")
local Baseline = require("bookwake_baseline")
local Event = require("ui/event")
local Place = require("bookwake_place")
local XPointer = require("bookwake_xpointer")

local Apply = {}

local SEARCHES = 3 -- of a whole book in one go: it takes a while

--- Whether nobody is selecting, marking or looking at a dialog: indices that an open dialog holds would be wrong.
-- @param top what is on top of the screen
function Apply.is_calm(ui, top)
    if not ui.document or (ui.highlight and ui.highlight.selected_text) then
        return false
    end
    return top == nil or top == ui or top == ui.dialog
end

local function find(ui, name)
    for index, item in ipairs(ui.annotation.annotations) do
        if item[Annotation.KEY] == name then
            return index, item
        end
    end
end

-- Another annotation of the same kind at the very place: made here meanwhile, or there already.
local function has_twin(ui, given, pos0, pos1)
    for _, item in ipairs(ui.annotation.annotations) do
        local entry = Annotation.entry(item)
        if
            entry
            and entry.name ~= given.name
            and entry.type == given.type
            and XPointer.equal(entry.pos0, pos0)
            and (entry.type == "bookmark" or XPointer.equal(entry.pos1, pos1))
        then
            return true
        end
    end
    return false
end

local function tell(ui, payload)
    -- KOReader's own handlers must not keep ours from writing down what was done.
    pcall(ui.handleEvent, ui, Event:new("AnnotationsModified", payload))
end

local function kind_of(item)
    return item.drawer == nil and "bookmark" or item.note and "note" or "highlight"
end

local function locate(ui, given, options)
    if given.type == "bookmark" then
        local position, why = Place.point(ui.document, given, options)
        return position, nil, why
    end
    local may_search = options.searches < SEARCHES
    local pos0, pos1, how = Place.range(ui.document, given, { nfc = options.nfc, may_search = may_search })
    if how ~= "verified" and how ~= "later" then
        options.searches = options.searches + 1
    end
    return pos0, pos1, how
end

local function insert(ui, given, pos0, pos1, now)
    local chapter = ui.toc and ui.toc:getTocTitleByPage(pos0)
    local item = Annotation.item(given, pos0, pos1, {
        colour = ui.view.highlight and ui.view.highlight.saved_color,
        chapter = chapter ~= "" and chapter or nil,
        now = now,
    })
    local updated = item.datetime_updated
    local index = ui.annotation:addItem(item)
    local kind = kind_of(item)
    tell(ui, {
        item,
        nb_highlights_added = kind == "highlight" and 1 or nil,
        nb_notes_added = kind == "note" and 1 or nil,
        index_modified = index,
    })
    item.datetime_updated = updated
    return item
end

local function remove(ui, index)
    local item = ui.annotation.annotations[index]
    pcall(ui.bookmark.removeItemByIndex, ui.bookmark, index)
    if ui.annotation.annotations[index] == item then
        table.remove(ui.annotation.annotations, index)
    end
end

-- @return outcome, reason, item
local function give(ui, given, options)
    local pos0, pos1, how = locate(ui, given, options)
    if not pos0 then
        if how == "later" then
            return nil
        end
        return "unplaced", how
    end
    if has_twin(ui, given, pos0, pos1) then
        return nil -- it goes up by itself, and the server knows what to do
    end
    return "placed", how == "corrected" and "corrected" or nil, insert(ui, given, pos0, pos1, options.now)
end

local function change(ui, given, index, item, options)
    local entry = Annotation.entry(item)
    local is_moved = not XPointer.equal(entry.pos0, given.pos0)
        or (given.type == "highlight" and not XPointer.equal(entry.pos1, given.pos1))
    if is_moved then
        local pos0, pos1, how = locate(ui, given, options)
        if not pos0 and how == "later" then
            return nil
        end
        -- Where it cannot be found it stays where it is, and the rest of it still counts.
        local is_there = pos0 and XPointer.equal(pos0, entry.pos0) and XPointer.equal(pos1 or "", entry.pos1 or "")
        if pos0 and not is_there then
            local moved = { datetime = item.datetime, text_edited = item.text_edited }
            given.native = given.native or moved
            remove(ui, index)
            return "placed", how == "corrected" and "corrected" or nil, insert(ui, given, pos0, pos1, options.now)
        end
    end
    local had_note = item.note ~= nil
    item.note = given.note ~= "" and given.note or nil
    item.note_format = item.note and (given.note_format or item.note_format) or nil
    if item.drawer then
        item.drawer = given.style and given.style ~= "" and given.style or item.drawer
        item.color = given.colour and given.colour ~= "" and given.colour or item.color
        if given.text and given.text ~= "" then
            item.text = given.text
        end
    end
    local step = (item.note ~= nil) ~= had_note and (item.note and 1 or -1) or nil
    tell(ui, {
        item,
        nb_highlights_added = item.drawer and step and -step or nil,
        nb_notes_added = item.drawer and step or nil,
    })
    -- KOReader takes the event for an edit of the person and dates it now; the next comparison would send it back.
    item.datetime_updated = given.changed_at and Annotation.stamp(given.changed_at) or item.datetime_updated
    return "placed", nil, item
end

--- Carry out instructions.
-- @param context `capture`, `core`, `instructions`; `held_back`: names that have changes of their own on the way
-- @return what is left for another time, counts `{placed, removed, unplaced}`; nil and why if it could not be written
function Apply.run(context)
    local capture, core = context.capture, context.core
    local ui = capture.ui
    local options = { nfc = core.nfc, now = core.clock(), searches = 0 }
    local followed, known, left = {}, {}, {}
    local counts = { placed = 0, removed = 0, unplaced = 0 }
    local record = capture.record

    for _, given in ipairs(context.instructions) do
        local outcome, reason, item
        local index, present = find(ui, given.name)
        if context.held_back[given.name] then
            outcome = nil
        elseif given["do"] == "remove" then
            if index then
                remove(ui, index)
            end
            outcome = "removed"
        elseif index then
            outcome, reason, item = change(ui, given, index, present, options)
        else
            outcome, reason, item = give(ui, given, options)
        end
        if outcome then
            table.insert(followed, { name = given.name, version = given.version, outcome = outcome, reason = reason })
            counts[outcome] = counts[outcome] + 1
            if item then
                known[given.name] = Baseline.known_of(Annotation.entry(item), core.digest)
            end
            record.unplaced[given.name] = outcome == "unplaced"
                    and { text = given.text, note = given.note, reason = reason, version = given.version }
                or nil
        else
            left[#left + 1] = given
        end
    end
    if #followed == 0 then
        return left, counts
    end
    local _, n = Baseline.view(record, core.outbox:of(capture.file))
    local operation, err = capture:add("followed", { followed = followed }, known, n + 1)
    if not operation then
        return nil, err
    end
    return left, counts
end

--- Show what was done: once, after all of it.
function Apply.repaint(ui, UIManager)
    if ui.view.resetHighlightBoxesCache then
        pcall(ui.view.resetHighlightBoxesCache, ui.view)
    end
    if ui.bookmark and ui.bookmark.setDogearVisibility then
        pcall(ui.bookmark.setDogearVisibility, ui.bookmark, ui.bookmark:getCurrentPageNumber())
    end
    if ui.view.footer then
        pcall(ui.view.footer.maybeUpdateFooter, ui.view.footer)
    end
    UIManager:setDirty(ui.dialog, "ui")
end

return Apply
