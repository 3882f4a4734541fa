-- Where the reader is: `ui.rolling` for reflowable books, `ui.paging` for fixed pages, `ui.link`, `ui.toc`.
local Event = require("ui/event")
local WidgetContainer = require("ui/widget/container/widgetcontainer")

local ReaderRolling = WidgetContainer:extend({})

function ReaderRolling:onReadSettings(config)
    local last = config:readSetting("last_xpointer")
    self.ui:registerPostInitCallback(function()
        if last then
            self.document:gotoXPointer(last)
        end
        self.xpointer = last or self.document:getXPointer()
        self.ui:handleEvent(Event:new("PageUpdate", self.document:getCurrentPage()))
    end)
    self.ui:registerPostReaderReadyCallback(function()
        -- The same page is announced again once the book is there.
        self.ui:handleEvent(Event:new("PageUpdate", self.document:getCurrentPage()))
    end)
end

function ReaderRolling:getLastProgress()
    return self.xpointer
end

function ReaderRolling:getLastPercent()
    return self.document:getCurrentPage() / self.document:getPageCount()
end

function ReaderRolling:_arrived(xpointer)
    self.xpointer = xpointer or self.document:getXPointer()
    self.ui:handleEvent(Event:new("PageUpdate", self.document:getCurrentPage()))
end

--- Stores the pointer as it came, even one that could not be found and led to page 1.
function ReaderRolling:onGotoXPointer(xpointer)
    self.document:gotoXPointer(xpointer)
    self:_arrived(xpointer)
    return true
end

function ReaderRolling:onGotoPage(page)
    self.document:gotoPage(page)
    self:_arrived()
    return true
end

function ReaderRolling:onGotoPercent(percent)
    return self:onGotoPage(math.max(1, math.ceil(self.document:getPageCount() * percent / 100)))
end

function ReaderRolling:onGotoViewRel(pages)
    local page = self.document:getCurrentPage() + pages
    if page > self.document:getPageCount() then
        self.ui:handleEvent(Event:new("EndOfBook"))
        return true
    end
    return self:onGotoPage(math.max(1, page))
end

function ReaderRolling:onSaveSettings()
    self.ui.doc_settings:saveSetting("last_xpointer", self.xpointer)
    self.ui.doc_settings:saveSetting("percent_finished", self:getLastPercent())
end

local ReaderPaging = ReaderRolling:extend({})

function ReaderPaging:onReadSettings(config)
    local last = config:readSetting("last_page") or 1
    self.ui:registerPostInitCallback(function()
        self:onGotoPage(last)
    end)
    self.ui:registerPostReaderReadyCallback(function()
        self.ui:handleEvent(Event:new("PageUpdate", self.document:getCurrentPage()))
    end)
end

function ReaderPaging:getLastProgress()
    return self.document:getCurrentPage()
end

function ReaderPaging:onGotoXPointer()
    error("an XPointer in a book of fixed pages")
end

function ReaderPaging:_arrived()
    self.ui:handleEvent(Event:new("PageUpdate", self.document:getCurrentPage()))
end

function ReaderPaging:onSaveSettings()
    self.ui.doc_settings:saveSetting("last_page", self.document:getCurrentPage())
    self.ui.doc_settings:saveSetting("percent_finished", self:getLastPercent())
end

local ReaderLink = WidgetContainer:extend({})

function ReaderLink:init()
    self.location_stack = {}
end

function ReaderLink:addCurrentLocationToStack()
    if self.ui.rolling then
        table.insert(self.location_stack, { xpointer = self.ui.rolling:getLastProgress() })
    else
        table.insert(self.location_stack, { page = self.document:getCurrentPage() })
    end
end

function ReaderLink:onGoBackLink()
    local place = table.remove(self.location_stack)
    if place and place.xpointer then
        self.ui:handleEvent(Event:new("GotoXPointer", place.xpointer))
    elseif place then
        self.ui:handleEvent(Event:new("GotoPage", place.page))
    end
    return true
end

local ReaderToc = WidgetContainer:extend({})

function ReaderToc:getTocTitleByPage(place)
    local page = place
    if type(place) == "string" then
        page = self.document:getPageFromXPointer(place)
    end
    local title = ""
    for _, entry in ipairs(self.document:getToc()) do
        if entry.page and entry.page <= page then
            title = entry.title
        end
    end
    return title
end

return { ReaderRolling = ReaderRolling, ReaderPaging = ReaderPaging, ReaderLink = ReaderLink, ReaderToc = ReaderToc }
