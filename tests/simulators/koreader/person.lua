--[[--
What a person and the world do to KOReader: read, mark, write notes, close the cover, lose the network.

Each act sends just the events that a real KOReader sends for it (koreader.md 4.4); several important ones send none.
The names are those of ../shared/koreader-driver, so that a script reads the same for both.
]]
local live = require("live")

local Event = live("ui/event")
local NetworkMgr = live("ui/network/manager")
local UIManager = live("ui/uimanager")
local standin = require("standin")

local person = {}

function person.reader()
    return require("apps/reader/readerui").instance
end

function person.fm()
    return require("apps/filemanager/filemanager").instance
end

function person.ui()
    return person.reader() or person.fm()
end

function person.plugin(name)
    return person.ui()[name or "bookwake"]
end

function person.wait(seconds)
    UIManager:advance(seconds or 0.1)
end

--- Lets time pass until something is true; an error after so many seconds.
function person.waitfor(condition, seconds, what)
    for _ = 1, (seconds or 60) * 8 do
        local value = condition()
        if value then
            return value
        end
        UIManager:advance(0.125)
    end
    error("waited in vain for " .. (what or "a condition"), 2)
end

function person.event(name, ...)
    return person.ui():handleEvent(Event:new(name, ...))
end

function person.broadcast(name, ...)
    UIManager:broadcastEvent(Event:new(name, ...))
end

-- Books

function person.open(file)
    local ReaderUI = require("apps/reader/readerui")
    ReaderUI:showReader(file)
    UIManager:advance(1.5)
    return assert(ReaderUI.instance, "the book did not open")
end

function person.close()
    person.reader():onHome()
    UIManager:advance(0.5)
end

function person.turn(pages)
    local step = (pages or 1) > 0 and 1 or -1
    for _ = 1, math.abs(pages or 1) do
        person.event("GotoViewRel", step)
        UIManager:advance(12)
    end
end

function person.gotopage(page)
    person.event("GotoPage", page)
    UIManager:advance(0.3)
end

function person.gotopercent(percent)
    person.event("GotoPercent", percent)
    UIManager:advance(0.3)
end

function person.gotoxp(xpointer)
    person.event("GotoXPointer", xpointer)
    UIManager:advance(0.3)
end

function person.where()
    local reader = person.reader()
    local place = reader.rolling or reader.paging
    return {
        page = reader.document:getCurrentPage(),
        pages = reader.document:getPageCount(),
        xpointer = reader.rolling and reader.rolling:getLastProgress() or nil,
        percent = place:getLastPercent(),
    }
end

--- Another font size: other pages, the same places.
function person.font_size(characters_per_page)
    local document = person.reader().document
    local here = document:getXPointer()
    document.page_size = characters_per_page
    document:gotoXPointer(here)
    person.event("DocumentRerendered")
end

-- Highlights, notes, bookmarks

local function changed(payload)
    person.reader().annotation:tell(payload)
    UIManager:advance(0.2)
end

--- The places of the first occurrence of a text, or of the stretch `{from = …, to = …}`.
function person.find(text)
    local document = person.reader().document
    local from, to = text, text
    if type(text) == "table" then
        from, to = text.from, text.to
    end
    local first = document:findAllText(from, false, 0, 1, false)
    local last = document:findAllText(to, false, 0, 1, false)
    document:clearSelection()
    assert(first and last, "the book has no such text")
    return first[1].start, last[1]["end"]
end

--- Marks a text: `{text =, color =, drawer =, note =}`. Returns the annotation.
function person.highlight(options)
    local reader = person.reader()
    local from, to = person.find(options.text)
    local item = {
        page = from,
        pos0 = from,
        pos1 = to,
        text = require("util").cleanupSelectedText(reader.document:getTextFromXPointers(from, to)),
        drawer = options.drawer or "lighten",
        color = options.color or "yellow",
        chapter = reader.toc:getTocTitleByPage(from),
        datetime = os.date("%Y-%m-%d %H:%M:%S"),
    }
    local index = reader.annotation:addItem(item)
    changed({ item, nb_highlights_added = 1, index_modified = index })
    UIManager:advance(1)
    if options.note then
        item.note = options.note
        changed({ item, nb_highlights_added = -1, nb_notes_added = 1 })
    end
    return item
end

function person.findannotation(text)
    for i, item in ipairs(person.reader().annotation.annotations) do
        if item.text and item.text:find(text, 1, true) then
            return i, item
        end
    end
end

--- The text of a note: the first one, and taking the last away, send an event; changing it sends none.
function person.setnote(index, note)
    local item = person.reader().annotation.annotations[index]
    local before = item.note
    item.note = note ~= "" and note or nil
    if item.drawer and (before == nil) ~= (item.note == nil) then
        local sign = item.note and 1 or -1
        changed({ item, nb_highlights_added = -sign, nb_notes_added = sign })
    end
end

--- Another wording of the marked text: no event.
function person.settext(index, text)
    local item = person.reader().annotation.annotations[index]
    item.text, item.text_edited = text, true
end

function person.setcolor(index, color)
    local item = person.reader().annotation.annotations[index]
    item.color = color
    changed({ item })
end

function person.setdrawer(index, drawer)
    local item = person.reader().annotation.annotations[index]
    item.drawer = drawer
    changed({ item })
end

function person.delete(index)
    person.reader().highlight:deleteHighlight(index)
    UIManager:advance(0.2)
end

--- The bookmark of this page, on or off by a tap in the corner.
function person.bookmark()
    local reader = person.reader()
    local place = reader.bookmark:getCurrentPageNumber()
    for i, item in ipairs(reader.annotation.annotations) do
        if not item.drawer and item.page == place then
            table.remove(reader.annotation.annotations, i)
            changed({ item, index_modified = -i })
            return nil
        end
    end
    local chapter = reader.toc:getTocTitleByPage(place)
    local item = { page = place, text = "in " .. chapter, chapter = chapter }
    local index = reader.annotation:addItem(item)
    changed({ item, index_modified = index })
    return item
end

--- Removing a page bookmark from the list sends no event.
function person.remove_bookmark_from_list(index)
    table.remove(person.reader().annotation.annotations, index)
end

-- Status, rating, review

--- In the "Book status" page of the open book, which does not touch `modified` for rating and review.
function person.set_state(fields)
    local reader = person.reader()
    local summary = reader.doc_settings:readSetting("summary", {})
    if fields.status and fields.status ~= summary.status then
        summary.status, summary.modified = fields.status, os.date("%Y-%m-%d")
    end
    summary.rating = fields.rating or summary.rating
    summary.note = fields.review or summary.note
end

--- In the file browser, for a closed book: straight into the sidecar, without an event.
function person.set_closed_state(file, fields)
    local settings = require("docsettings"):open(file)
    local summary = settings:readSetting("summary", {})
    summary.status = fields.status or summary.status
    summary.rating = fields.rating or summary.rating
    summary.note = fields.review or summary.note
    require("apps/filemanager/filemanagerutil").saveSummary(settings, summary)
end

-- The device

--- Wi-Fi goes first, then settings are saved, then everybody is told (koreader.md 3.7).
function person.suspend()
    person.was_connected = NetworkMgr.connected
    if NetworkMgr.connected then
        NetworkMgr:disconnect()
    end
    UIManager:flushSettings()
    person.broadcast("Suspend")
    UIManager:advance(0.5)
end

function person.resume()
    person.broadcast("Resume")
    UIManager:advance(1)
    if person.was_connected then
        NetworkMgr:connect()
    end
    UIManager:advance(0.5)
end

function person.offline()
    NetworkMgr:disconnect()
    UIManager:advance(0.1)
end

function person.online()
    NetworkMgr:connect()
    UIManager:advance(0.1)
end

--- Every error that KOReader would only have written to its log.
function person.failures()
    return require("pluginloader").failures
end

--- Ends KOReader and starts it again with the same data.
function person.restart(options)
    local again = { home = standin.home, books = standin.books, version = standin.version, device = standin.device }
    again.plugins = {}
    for _, plugin in ipairs(require("pluginloader").enabled_plugins) do
        table.insert(again.plugins, plugin.path)
    end
    for key, value in pairs(options or {}) do
        again[key] = value
    end
    standin.stop()
    standin.start(again)
end

return person
