-- The reader's list of annotations, and the rules by which events come or do not come (koreader.md 4.1 to 4.4).
local Event = require("ui/event")
local WidgetContainer = require("ui/widget/container/widgetcontainer")
local standin = require("standin")

local ReaderAnnotation = WidgetContainer:extend({})

-- Since then the core notes when an annotation was changed, and its events say which came or went.
local KEEPS_UPDATED = 202504000000

local function stamp()
    return os.date("%Y-%m-%d %H:%M:%S")
end

function ReaderAnnotation:init()
    self.annotations = {}
end

function ReaderAnnotation:onReadSettings(config)
    local stored = config:readSetting("annotations") or {}
    local expected = self.ui.rolling and "string" or "number"
    if stored[1] and type(stored[1].page) ~= expected then
        config:saveSetting(self.ui.rolling and "annotations_paging" or "annotations_rolling", stored)
        stored = {}
    end
    self.annotations = stored
    if config:isTrue("annotations_externally_modified") then
        config:delSetting("annotations_externally_modified")
        self.ui:registerPostReaderReadyCallback(function()
            for _, item in ipairs(self.annotations) do
                item.pageno = self:_page(item)
            end
            self:_sort()
        end)
    end
end

function ReaderAnnotation:_page(item)
    return self.ui.rolling and self.document:getPageFromXPointer(item.page) or item.page
end

--- Whether `a` comes before `b`. An invalid pointer counts as page 1 and before everything there.
function ReaderAnnotation:_before(a, b)
    local a_page, b_page = self:_page(a), self:_page(b)
    if a_page ~= b_page then
        return a_page < b_page
    end
    if (a.drawer == nil) ~= (b.drawer == nil) then
        return a.drawer == nil
    end
    if self.ui.paging then
        return a.drawer ~= nil and self.document:comparePositions(a.pos0, b.pos0) > 0
    end
    local order = self.document:compareXPointers(a.page, b.page)
    if order == 0 and a.drawer then
        order = self.document:compareXPointers(a.pos1, b.pos1)
    end
    return order == nil or order > 0
end

--- Several places that cannot be found, among good ones, and the book does not open any more.
function ReaderAnnotation:_sort()
    local bad, good = 0, 0
    for _, item in ipairs(self.annotations) do
        local found = not self.ui.rolling or self.document:isXPointerInDocument(item.page)
        bad, good = bad + (found and 0 or 1), good + (found and 1 or 0)
    end
    if bad > 1 and good > 0 then
        error("invalid order function for sorting")
    end
    for i = 2, #self.annotations do
        local item, at = self.annotations[i], i
        while at > 1 and self:_before(item, self.annotations[at - 1]) do
            self.annotations[at] = self.annotations[at - 1]
            at = at - 1
        end
        self.annotations[at] = item
    end
end

function ReaderAnnotation:addItem(item)
    if self.ui.paging and type(item.page) ~= "number" then
        error("a string position in a book of fixed pages crashes KOReader")
    end
    item.datetime = item.datetime or stamp()
    item.pageno = self:_page(item)
    local index = #self.annotations + 1
    for i, other in ipairs(self.annotations) do
        if self:_before(item, other) then
            index = i
            break
        end
    end
    table.insert(self.annotations, index, item)
    return index
end

function ReaderAnnotation:getItemIndex(item)
    for i, other in ipairs(self.annotations) do
        local same_time = not item.datetime or not other.datetime or item.datetime == other.datetime
        if same_time and other.page == item.page and other.pos0 == item.pos0 and other.pos1 == item.pos1 then
            return i
        end
    end
end

--- Marks what it is given as changed now, unless an index says that it came or went. Without `[1]` it crashes.
function ReaderAnnotation:onAnnotationsModified(items)
    if standin.number() >= KEEPS_UPDATED and (items.index_modified == nil or items.modify_datetime) then
        items[1].datetime_updated = stamp()
    end
end

--- The event as this version sends it.
function ReaderAnnotation:tell(payload)
    if standin.number() < KEEPS_UPDATED then
        payload.index_modified = nil
    end
    self.ui:handleEvent(Event:new("AnnotationsModified", payload))
end

function ReaderAnnotation:hasAnnotations()
    return #self.annotations > 0
end

function ReaderAnnotation:getNumberOfAnnotations()
    return #self.annotations
end

function ReaderAnnotation:getNumberOfHighlightsAndNotes()
    local highlights, notes = 0, 0
    for _, item in ipairs(self.annotations) do
        if item.drawer and item.note then
            notes = notes + 1
        elseif item.drawer then
            highlights = highlights + 1
        end
    end
    return highlights, notes
end

function ReaderAnnotation:onDocumentRerendered()
    for _, item in ipairs(self.annotations) do
        item.pageno = self:_page(item)
    end
end

function ReaderAnnotation:onSaveSettings()
    self.ui.doc_settings:saveSetting("annotations", self.annotations)
end

-- ui.bookmark

local ReaderBookmark = WidgetContainer:extend({})

function ReaderBookmark.getBookmarkType(item)
    return item.drawer == nil and "bookmark" or item.note and "note" or "highlight"
end

function ReaderBookmark:getCurrentPageNumber()
    return self.ui.rolling and self.document:getXPointer() or self.document:getCurrentPage()
end

function ReaderBookmark:setDogearVisibility()
    self.dogear_set = (self.dogear_set or 0) + 1
end

--- The event comes before the item goes. For a page bookmark there is none.
function ReaderBookmark:removeItemByIndex(index)
    local item = self.ui.annotation.annotations[index]
    local kind = self.getBookmarkType(item)
    if kind == "highlight" then
        self.ui.annotation:tell({ item, nb_highlights_added = -1, index_modified = -index })
    elseif kind == "note" then
        self.ui.annotation:tell({ item, nb_notes_added = -1, index_modified = -index })
    end
    table.remove(self.ui.annotation.annotations, index)
    self.ui.view.footer:maybeUpdateFooter()
end

function ReaderBookmark:removeItem(item, index)
    self:removeItemByIndex(index or self.ui.annotation:getItemIndex(item))
end

return { ReaderAnnotation = ReaderAnnotation, ReaderBookmark = ReaderBookmark }
