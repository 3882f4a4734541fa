-- The reader: opening and closing a book in the order of koreader.md 3.7. The sidecar is written after CloseDocument.
local DocSettings = require("docsettings")
local Event = require("ui/event")
local UIManager = require("ui/uimanager")
local WidgetContainer = require("ui/widget/container/widgetcontainer")
local annotations = require("apps/reader/annotations")
local lfs = require("lfs")
local main_menu = require("main_menu")
local places = require("apps/reader/places")
local standin = require("standin")
local util = require("util")

local ReaderUI = WidgetContainer:extend({ name = "ReaderUI" })

local PAGED = { pdf = true, cbz = true, djvu = true }

local function nothing() end

function ReaderUI:registerModule(name, module)
    module.ui, module.dialog, module.document, module.view = self, self, self.document, self.view
    self[name] = module
    module.name = "reader" .. name
    table.insert(self, module)
end

function ReaderUI:registerPostInitCallback(callback)
    table.insert(self.postInitCallback, callback)
end

function ReaderUI:registerPostReaderReadyCallback(callback)
    table.insert(self.postReaderReadyCallback, callback)
end

function ReaderUI:init()
    self.postInitCallback, self.postReaderReadyCallback = {}, {}
    self.dialog = self
    local file = self.document.file
    self.doc_settings = DocSettings:open(file)
    self.view = {
        footer = { maybeUpdateFooter = nothing, onUpdateFooter = nothing },
        highlight = { saved_color = "yellow", saved_drawer = "lighten" },
        resetHighlightBoxesCache = nothing,
    }
    self.menu = main_menu.new("reader", self)
    self:registerModule("link", places.ReaderLink:new({}))
    self:registerModule("highlight", WidgetContainer:new({ buttons = {} }))
    self:registerModule("toc", places.ReaderToc:new({}))
    self:registerModule("bookmark", annotations.ReaderBookmark:new({}))
    self:registerModule("annotation", annotations.ReaderAnnotation:new({}))
    if self.document.info.has_pages then
        self:registerModule("paging", places.ReaderPaging:new({}))
    else
        self:registerModule("rolling", places.ReaderRolling:new({}))
    end
    function self.highlight:addToHighlightDialog(name, maker)
        self.buttons[name] = maker
    end
    function self.highlight:deleteHighlight(index)
        self.ui.bookmark:removeItemByIndex(index)
    end
    self.highlight.writePdfAnnotation = nothing
    self.highlight.onClose = nothing
    if standin.statistics then
        self:registerModule("statistics", standin.statistics.new(self))
    end
    local attributes = { dialog = self, view = self.view, ui = self, document = self.document }
    for _, plugin in ipairs(require("pluginloader"):instances(attributes, true)) do
        self[plugin.name] = plugin.instance
        table.insert(self, plugin.instance)
    end
    self:handleEvent(Event:new("DocSettingsLoad", self.doc_settings, self.document))
    self:handleEvent(Event:new("ReadSettings", self.doc_settings))
    self:handleEvent(Event:new("PreRenderDocument", self.doc_settings))
    for _, callback in ipairs(self.postInitCallback) do
        callback()
    end
    local props = self.document:getProps()
    self.doc_settings:saveSetting("doc_props", props)
    self.doc_props = util.tableDeepCopy(props)
    self.doc_props.display_title = props.title or util.splitFileNameSuffix(file:match("[^/]*$"))
    if not self.doc_settings:has("cre_dom_version") and self.document.getLatestDomVersion then
        self.doc_settings:saveSetting("cre_dom_version", self.document:getLatestDomVersion())
    end
    -- Written once, and never again when the file changes.
    if not self.doc_settings:has("partial_md5_checksum") then
        self.doc_settings:saveSetting("partial_md5_checksum", util.partialMD5(file))
    end
    -- Says nothing about what anybody wanted.
    local summary = self.doc_settings:readSetting("summary", {})
    if not ({ reading = true, complete = true, abandoned = true })[summary.status] then
        summary.status, summary.modified = "reading", os.date("%Y-%m-%d")
    end
    require("readhistory"):addItem(file)
    self:handleEvent(Event:new("ReaderReady", self.doc_settings))
    self.doc_settings:saveSetting("doc_pages", self.document:getPageCount())
    for _, callback in ipairs(self.postReaderReadyCallback) do
        callback()
    end
    self.postInitCallback, self.postReaderReadyCallback, self.reloading = nil, nil, nil
    if standin.number() >= 202504000000 then
        require("ui/widget/booklist").setBookInfoCache(file, self.doc_settings)
    end
    ReaderUI.instance = self
end

--- Opens a book: the one who is there goes first, then the new one comes, a tick later.
function ReaderUI:showReader(file, _, _, _, after)
    if lfs.attributes(file, "mode") ~= "file" then
        local InfoMessage = require("ui/widget/infomessage")
        UIManager:show(InfoMessage:new({ text = "File '" .. file .. "' does not exist." }))
        return
    end
    UIManager:broadcastEvent(Event:new("ShowingReader"))
    UIManager:nextTick(function()
        local kind = PAGED[file:match("[^.]*$")] and "document/pages" or "document/book"
        local reloading = ReaderUI.reload_next
        ReaderUI.reload_next = nil
        local reader = ReaderUI:new({ document = require(kind).open(file), reloading = reloading })
        UIManager:show(reader)
        if after then
            after(reader)
        end
    end)
end

function ReaderUI:onShowingReader()
    self.tearing_down = true
    self:onClose()
end

function ReaderUI:saveSettings()
    self:handleEvent(Event:new("SaveSettings"))
    self.doc_settings:flush()
    G_reader_settings:flush()
end

function ReaderUI:onFlushSettings()
    self:saveSettings()
end

function ReaderUI:onClose()
    if self.document then
        self:handleEvent(Event:new("CloseDocument"))
        self.document:close()
        self.document = nil
    end
    UIManager:close(self)
    return true
end

function ReaderUI:onCloseWidget()
    ReaderUI.instance = nil
end

function ReaderUI:onHome()
    self:onClose()
    require("apps/filemanager/filemanager"):showFiles(standin.books)
    return true
end

function ReaderUI:switchDocument(file)
    self:showReader(file)
end

function ReaderUI:reloadDocument()
    local file = self.document.file
    self:handleEvent(Event:new("PreserveCurrentSession"))
    ReaderUI.reload_next = true
    self:showReader(file)
end

function ReaderUI:getCurrentPage()
    return self.document:getCurrentPage()
end

return ReaderUI
