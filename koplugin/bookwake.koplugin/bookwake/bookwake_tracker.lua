--- What reading there was since the book was opened: pages turned or jumped over, and seconds, if nobody else counts.
--
-- KOReader says only which page is shown, repeats itself, and passes nil or false at times (docs/reference/koreader.md
-- 3.6). A step of one or two pages is reading; a longer one is a jump of the person, or our own.
local Tracker = {}
Tracker.__index = Tracker

local STEP = 2 -- pages
local LONGEST = 120 -- seconds that one page counts at most, as in KOReader's statistics
local SHORTEST = 10 -- seconds of a session that is worth telling

--- @param clock seconds since 1970; @param number of the page that is shown
function Tracker.new(clock, number)
    local self = setmetatable({}, Tracker)
    self.clock, self.number = clock, number
    self.turned = 0 -- since the book was opened
    self.since_capture = 0
    self.opened_at = clock()
    self:_begin()
    return self
end

function Tracker:_begin()
    self.session = { started = self.clock(), seconds = 0 }
    self.page_at = self.clock()
end

--- A page is shown.
function Tracker:page(number)
    if type(number) ~= "number" then
        return
    end
    local before = self.number
    self.number = number
    if self.is_moving or not before or before == number then
        return
    end
    local now = self.clock()
    self.session.seconds = self.session.seconds + math.max(0, math.min(now - self.page_at, LONGEST))
    self.page_at = now
    if math.abs(number - before) <= STEP then
        self.turned = self.turned + 1
        self.since_capture = self.since_capture + 1
        self.act = "read"
    else
        self.act = "jumped"
        self.since_capture = self.since_capture + 1
    end
end

--- Page numbers mean something else from now on.
function Tracker:rerendered()
    self.number = nil
end

--- Run something that moves the reader without the person having turned pages.
function Tracker:moving(move)
    self.is_moving = true
    local ok, result = pcall(move)
    self.is_moving = nil
    if not ok then
        error(result, 0)
    end
    return result
end

--- What happened since the last time it was asked: "read", "jumped" or nil.
function Tracker:take()
    local act = self.act
    self.act, self.since_capture = nil, 0
    return act
end

--- The device sleeps: that is no reading.
function Tracker:pause()
    local now = self.clock()
    self.session.seconds = self.session.seconds + math.max(0, math.min(now - self.page_at, LONGEST))
    self.page_at = now
end

function Tracker:resume()
    self.page_at = self.clock()
end

--- End a session: its start and seconds, nil if it was too short. Only wanted where KOReader's statistics are off.
function Tracker:finish()
    self:pause()
    local session = self.session
    self:_begin()
    session.seconds = math.floor(session.seconds)
    if session.seconds < SHORTEST or self.turned == 0 then
        return nil
    end
    return session
end

return Tracker
