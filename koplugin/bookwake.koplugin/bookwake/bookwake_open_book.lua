--- The book that is open: captured, synced, and changed by what comes from the server.
local Apply = require("bookwake_apply")
local Capture = require("bookwake_capture")
local Progress = require("bookwake_progress")
local Tracker = require("bookwake_tracker")

local OpenBook = {}
OpenBook.__index = OpenBook

local RETRIES = 20 -- times that something else may be on the screen
local RETRY = 3 -- seconds
local LOST = 5 -- pages turned after KOReader lost the place, until they count as reading

--- @param core the process's one; @param ui of the reader; @param file digest; @param path
-- @param screen what a person sees: `ask(place, on_yes, on_no)`, `tell(kind, place or counts)`, `top()`: what is on top
function OpenBook.new(core, ui, file, path, screen)
    local self = setmetatable({}, OpenBook)
    self.core, self.ui, self.file, self.path, self.screen = core, ui, file, path, screen
    self.capture = Capture.new(core, ui, file, path)
    self.record = self.capture.record
    self.tracker = Tracker.new(core.clock, ui.document:getCurrentPage())
    self.start_percent = self.capture:_percent()
    return self
end

--- Whether this is still the book that is open.
function OpenBook:is_open()
    return self.ui.document ~= nil and not self.is_closed
end

-- The place that the book has from before is news to a server that has heard of none; a book that was never read is on
-- its first page.
function OpenBook:old_place()
    return self.ui.document:getCurrentPage() > 1 and "opened" or nil
end

--- Write down what is new, and say so if it cannot be written.
-- @return how many operations
function OpenBook:write(act)
    if not self:is_open() or not self.core.device:is_paired() then
        return 0
    end
    local at
    if self.record.moved_from and not act then
        -- The book that it is has not heard of the place.
        self.capture.last_locator = nil
        at = self.record.read_at
        act = at and "read" or self:old_place()
    end
    local count, err = self.capture:all(act, at)
    if not count then
        self.core:noted({ class = "card", message = err })
        return 0
    end
    return count
end

--- The book was opened a moment ago.
function OpenBook:begin()
    local is_new = self.record.told == nil and self.record.read_at == nil
    self:write(is_new and self:old_place() or nil)
    self.capture.last_locator = self.capture.last_locator or self.capture:locator()
    self:take_inbox()
end

--- KOReader goes to page 1 for a place that it cannot find (docs/reference/koreader.md 5.6): no person wanted that, nor
-- is it reading to leaf on from there.
function OpenBook:check_jump()
    local rolling = self:is_open() and self.ui.rolling
    if rolling and not self.ui.document:isXPointerInDocument(rolling:getLastProgress()) then
        self.lost_at = self.tracker.turned
    else
        self.lost_at = nil
    end
end

-- What happened since the last time, as far as it says anything about the person.
function OpenBook:take_act()
    local act = self.tracker:take()
    if self.lost_at then
        if self.tracker.turned - self.lost_at < LOST then
            return nil
        end
        self.lost_at = nil
    end
    return act
end

--- The place, after pages were turned or a person went elsewhere.
function OpenBook:write_progress()
    local act = self:take_act()
    if not act or not self:is_open() or not self.core.device:is_paired() then
        return nil
    end
    local operation, err = self.capture:progress(act)
    if err then
        self.core:noted({ class = "card", message = err })
    end
    return operation
end

--- Everything, for the last time.
function OpenBook:finish()
    if not self:is_open() then
        return
    end
    self:write(self:take_act())
    self:write_session()
    self.is_closed = true
end

--- The reading since the last time, if KOReader's statistics do not count it.
function OpenBook:write_session()
    local session = self.tracker:finish()
    local statistics = self.ui.statistics
    local is_counted = statistics and statistics.settings and statistics.settings.is_enabled
    if not session or is_counted or not self.core.device:is_paired() then
        return
    end
    session.start_percent, session.end_percent = self.start_percent, self.capture:_percent()
    self.start_percent = session.end_percent
    self.core.outbox:add({ kind = "session", file = self.file, path = self.path, body = session })
end

--- The server has answered for this book: its record has the place, the inbox the rest.
-- @return counts of what was put into the book
function OpenBook:arrived()
    if not self:is_open() then
        return nil
    end
    self:consider_place()
    return self:take_inbox()
end

--- Go to the place where the person is elsewhere, or ask.
function OpenBook:consider_place()
    local place, settings = self.record.place, self.core.settings
    local decision = Progress.decide(place, {
        locator = self.capture:locator(),
        percent = self.capture:_percent(),
        told = self.record.told,
        read_at = self.record.read_at,
        turned = self.tracker.turned,
        since_open = self.core.clock() - self.tracker.opened_at,
    }, { newer = settings:get("newer"), older = settings:get("older") })
    if decision == "same" then
        self:_told(place)
    elseif decision == "jump" then
        self:jump(place)
    elseif decision == "ask" and self.asked ~= place.version then
        self.asked = place.version
        self.screen.ask(place, function()
            self:jump(place)
        end, function()
            self:_told(place)
        end)
    end
end

function OpenBook:_told(place)
    self.record.told = math.max(self.record.told or 0, place.version)
    self.core.books:save(self.record)
end

--- @return whether the place was found
function OpenBook:jump(place)
    if not self:is_open() then
        return false
    end
    local target = Progress.check(self.ui, place)
    if not target then
        self.screen.tell("no-place", place)
        return false
    end
    local percent = self.capture:_percent()
    local before = self.tracker:moving(function()
        return Progress.go(self.ui, target)
    end)
    self.undo = { target = before, percent = percent }
    self.capture.last_locator = self.capture:locator()
    self:_told(place)
    self.screen.tell("jumped", place)
    return true
end

--- Back to where the reader was before the last jump: the person wants to be there.
function OpenBook:undo_jump()
    if not self.undo or not self:is_open() then
        return false
    end
    local target = self.undo.target
    self.undo = nil
    self.tracker:moving(function()
        Progress.go(self.ui, target)
    end)
    self.capture:progress("jumped")
    return true
end

-- Names with changes of the person's own on the way, which the server does not know yet; true for all of them.
local function held_back(self)
    local names = {}
    for _, operation in ipairs(self.core.outbox:of(self.file, "annotations")) do
        if operation.body.complete then
            return true
        end
        for _, list in ipairs({ operation.body.changed or {}, operation.body.deleted or {} }) do
            for _, one in ipairs(list) do
                names[one.name] = true
            end
        end
    end
    return names
end

--- Put into the book what waits for it, if nothing is in the way; else later.
function OpenBook:take_inbox()
    local core = self.core
    local content = core.inbox:get(self.file)
    if not content or not self:is_open() then
        return nil
    end
    if not Apply.is_calm(self.ui, self.screen.top()) then
        self:_later()
        return nil
    end
    -- What the person did up to now comes first, so that it is not mistaken for something else.
    self:write(nil)
    if content.state then
        local is_changed, change = self.capture:take_state(content.state)
        if is_changed then
            self.screen.tell("state", change)
        end
        content.state = nil
    end
    local instructions = content.annotations or {}
    local names = held_back(self)
    local may_apply = self.capture:has_annotations() and core.settings:get("two_way")
    if #instructions == 0 or names == true or not may_apply then
        core.inbox:put(self.file, content)
        return nil
    end
    local left, counts
    self.is_applying = true
    local ok, err = pcall(function()
        left, counts = Apply.run({
            capture = self.capture,
            core = core,
            instructions = instructions,
            held_back = names,
        })
    end)
    self.is_applying = nil
    Apply.repaint(self.ui, core.uimanager)
    if not ok or not left then
        core:noted({ class = "card", message = tostring(not ok and err or counts) })
        return nil
    end
    core.books:save(self.record)
    core.inbox:put(self.file, { annotations = left })
    if counts.placed + counts.removed > 0 then
        self.screen.tell("applied", counts)
    end
    return counts
end

--- A person's word on deletions that nobody was seen to make.
function OpenBook:confirm_deletions(yes)
    if not self:is_open() then
        return
    end
    local _, err
    if yes then
        _, err = self.capture:annotations(true)
    else
        _, err = self.capture:bring_back()
    end
    if err then
        self.core:noted({ class = "card", message = err })
    end
end

function OpenBook:_later()
    self.retries = (self.retries or 0) + 1
    if self.is_waiting or self.retries > RETRIES then
        return
    end
    self.is_waiting = true
    self.core.later(RETRY, function()
        self.is_waiting = nil
        if self:is_open() then
            local counts = self:take_inbox()
            if counts then
                self.core.sync:now({ file = self.path, reason = "applied" })
            end
        end
    end)
end

return OpenBook
