--- The plugin as KOReader sees it: one instance in the file manager and a new one for each opened book.
--
-- What must outlive an instance (state, outbox, a running request, back-off) is in one `core`, made once
-- (`bookwake_core`). The instance translates KOReader's events into calls of it; menus and pages get the instance.
-- The parts and what they offer each other: koplugin/README.md.
local Actions = require("bookwake_actions")
local Chores = require("bookwake_chores")
local Core = require("bookwake_core")
local Enrolment = require("bookwake_enrolment")
local Menu = require("bookwake_menu")
local OpenBook = require("bookwake_open_book")
local ReadingScreen = require("bookwake_reading_screen")
local UIManager = require("ui/uimanager")
local WidgetContainer = require("ui/widget/container/widgetcontainer")
local guarded = require("bookwake_guarded")

local Plugin = WidgetContainer:extend({
    name = "bookwake",
    is_doc_only = false,
})

-- Seconds
local AFTER_OPENING = 1 -- nothing is asked of a book before
local AFTER_CLOSING = 2
local AFTER_ANNOTATING = 5
local AFTER_TURNING = 10 -- without another page
local AFTER_CONNECTING = 2
local BETWEEN = 60 -- at most so often while reading

function Plugin:init()
    self.version = require("bookwake_version")
    self.core = Core.get()
    for _, name in ipairs({ "settings", "device", "server", "scheduler", "sync", "state", "books", "outbox" }) do
        self[name] = self.core[name]
    end
    self.file = self.ui.document and self.ui.document.file
    self.timers = {}
    self.ui.menu:registerToMainMenu(self)
    self:onDispatcherRegisterActions()
    if not self.ui.document then
        Enrolment.begin(self)
    end
    Chores.begin(self)
end

Actions.install(Plugin)

function Plugin:addToMainMenu(menu_items)
    Menu.add(self, menu_items)
end

-- Run `fn` once after so many seconds of nothing else of this name. One function for each name, so that it can be taken
-- back when the book is closed.
function Plugin:after(name, seconds, fn)
    local timer = self.timers[name]
    if timer then
        UIManager:unschedule(timer)
    end
    timer = function()
        self.timers[name] = nil
        guarded(fn)
    end
    self.timers[name] = timer
    UIManager:scheduleIn(seconds, timer)
end

function Plugin:cancel_timers()
    for name, timer in pairs(self.timers) do
        UIManager:unschedule(timer)
        self.timers[name] = nil
    end
end

--- Sync by itself, if the person wants that and there is a connection; never more than once in a minute while reading.
function Plugin:sync_by_itself(reason)
    if not self.settings:get("auto_sync") or not self.core.is_connected() or not self.device:is_paired() then
        return
    end
    local now = self.core.monotonic()
    local since = self.synced_at and now - self.synced_at or BETWEEN
    if reason == "reading" and since < BETWEEN then
        if not self.timers.sync then
            self:after("sync", BETWEEN - since, function()
                self:sync_by_itself("reading")
            end)
        end
        return
    end
    self.synced_at = now
    self.sync:now({ file = self.book and self.book.path, reason = reason })
end

-- The book

-- KOReader takes annotations out of the list while it opens a book: when it imports a list, or with another engine.
function Plugin:onDocSettingsLoad(doc_settings)
    guarded(function()
        local list = doc_settings:readSetting("annotations")
        self.stored_annotations = type(list) == "table" and #list or 0
    end)
end

function Plugin:onReaderReady()
    self.is_ready = true
    self:after("open", AFTER_OPENING, function()
        self:open_book()
    end)
end

local function real_path(path)
    return require("ffi/util").realpath(path) or path
end

function Plugin:open_book()
    local ui = self.ui
    if not ui.document or self.book or not self.device:is_paired() then
        return
    end
    local path = real_path(ui.document.file)
    local file = self.books:identify(path)
    self.is_left_out = file and self.settings:is_left_out(file)
    if not file or self.is_left_out then
        return
    end
    local book = OpenBook.new(self.core, ui, file, path, ReadingScreen)
    self.book = book
    local list = ui.annotation and ui.annotation.annotations
    if list and (self.stored_annotations or 0) > #list then
        book.capture:distrust()
    end
    self.core.open = {
        file = file,
        path = path,
        arrived = function()
            return guarded(book.arrived, book)
        end,
        held_deletions = function()
            return #book.capture.held
        end,
        confirm_deletions = function(yes)
            book:confirm_deletions(yes)
        end,
        of = book,
    }
    book:begin()
    self:sync_by_itself("opened")
end

--- Leave the open book out, or sync it again. What was made of it meanwhile is found then, as after any pause.
function Plugin:leave_out(yes)
    local path = self.file and real_path(self.file)
    local file = path and self.books:identify(path)
    if not file then
        return
    elseif yes then
        self.settings:leave_out(file, path)
        self:let_go()
        self.is_left_out = true
        return
    end
    local statistics = require("bookwake_history").statistics(self.core)
    for _, one in ipairs(self.settings:take_back(file, path)) do
        statistics:forget(one)
    end
    self:open_book()
end

-- The book is closed, or none of ours any more.
function Plugin:let_go()
    self:cancel_timers()
    if self.core.open and self.core.open.of == self.book then
        self.core.open = nil
    end
    self.book = nil
end

function Plugin:capture()
    return self.book and self.book:write(self.book:take_act()) or 0
end

function Plugin:can_undo_jump()
    return self.book ~= nil and self.book.undo ~= nil and self.book:is_open()
end

function Plugin:undo_jump()
    return self.book and self.book:undo_jump()
end

function Plugin:onPageUpdate(number)
    local book = self.book
    if not book then
        if self.is_ready and not self.timers.open and not self.is_left_out and self.device:is_paired() then
            self:onReaderReady() -- the reader was paired while the book was open
        end
        return
    end
    book.tracker:page(number)
    if book.tracker.act == "jumped" then
        self:after("jump", 0, function() -- KOReader notes the place itself after this event
            book:check_jump()
        end)
    end
    local every = self.settings:get("every_pages")
    if every > 0 and book.tracker.since_capture >= every then
        self:after("progress", AFTER_TURNING, function()
            if book:write_progress() then
                self:sync_by_itself("reading")
            end
        end)
    end
end

function Plugin:onPosUpdate(_, number)
    self:onPageUpdate(number)
end

function Plugin:onDocumentRerendered()
    if self.book then
        self.book.tracker:rerendered()
    end
end

function Plugin:onAnnotationsModified(items)
    local book = self.book
    if not book or book.is_applying or type(items) ~= "table" then
        return
    end
    book.capture:modified(items)
    self:after("annotations", AFTER_ANNOTATING, function()
        if book:write(nil) > 0 then
            self:sync_by_itself("reading")
        end
    end)
end

-- Settings are being saved: what is written now, and the marker with it, is in the same save.
function Plugin:onSaveSettings()
    if self.book and self.book:is_open() then
        guarded(self.book.write, self.book, nil)
    end
end

function Plugin:onCloseDocument()
    local book = self.book
    if book then
        guarded(book.finish, book)
    end
    self:let_go()
    if book then
        local core, path = self.core, book.path
        -- The core goes on when this instance is gone.
        core.later(AFTER_CLOSING, function()
            if core.settings:get("auto_sync") and core.is_connected() and core.device:is_paired() then
                core.sync:now({ file = path, reason = "closed" })
            end
            core.books.digests:save()
        end)
    end
end

function Plugin:onCharging()
    Chores.later(self)
end

function Plugin:onCloseWidget()
    self:cancel_timers()
    Chores.stop(self)
end

-- The device

function Plugin:onNetworkDisconnecting()
    guarded(self.capture, self)
end

function Plugin:onSuspend()
    if self.book then
        guarded(self.capture, self)
        self.book.tracker:pause()
    end
end

function Plugin:onResume()
    if self.book then
        self.book.tracker:resume()
    end
end

function Plugin:onNetworkConnected()
    self:after("network", AFTER_CONNECTING + 2 * math.random(), function()
        self.scheduler:network_changed()
        Enrolment.begin(self)
        self:sync_by_itself("network")
        Chores.later(self)
    end)
end

--- KOReader is about to switch the plugin off.
function Plugin:stopPlugin()
    self:cancel_timers()
    self.scheduler:clear()
    return true
end

return Plugin
