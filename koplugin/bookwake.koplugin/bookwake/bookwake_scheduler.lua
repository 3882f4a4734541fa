--- Who may talk to the server, and when: one at a time, what a person waits for first, and a server that does not
-- answer is left in peace.
--
-- Automatic work waits 5, 15, 60, 300, 900 seconds after failures in a row (docs/reference/koreader.md 9.11), a little
-- more or less so that not all devices come at once. After three, the next is only a question whether anybody is
-- there. What a person asks for is tried at once.
local Scheduler = {}
Scheduler.__index = Scheduler

local RANK = { manual = 3, lifecycle = 2, automatic = 1 }
local WAITS = { 5, 15, 60, 300, 900 }
local OPEN_AFTER = 3
-- Failures that say something about the server or the way to it, not about what was asked.
local IS_OUTAGE = { transport = true, failed = true, later = true, foreign = true, fork = true }

--- @param options `clock`: seconds that never go back; `later(seconds, fn)`: a timer; `chance`: 0 to 1;
-- `probe(done)`: asks whether the server is there, `done(err)`
function Scheduler.new(options)
    local self = setmetatable({}, Scheduler)
    self.clock, self.later, self.chance, self.probe = options.clock, options.later, options.chance, options.probe
    self.queue = {}
    self.failures = 0
    self.resume_at = 0
    return self
end

--- Put a job into the queue. One of the same key that waits is replaced, keeping its place if that was better.
-- @param job `key`; `priority`: "manual", "lifecycle" or "automatic"; `start(finish)`, which calls `finish(err)` once
function Scheduler:submit(job)
    assert(RANK[job.priority], "a job has a priority")
    for index, waiting in ipairs(self.queue) do
        if waiting.key == job.key then
            if RANK[waiting.priority] > RANK[job.priority] then
                job.priority = waiting.priority
            end
            self.queue[index] = job
            self:_next()
            return
        end
    end
    table.insert(self.queue, job)
    self:_next()
end

function Scheduler:is_busy()
    return self.running ~= nil
end

--- Seconds until automatic work goes on, 0 if nothing keeps it.
function Scheduler:waits()
    return math.max(0, self.resume_at - self.clock())
end

--- There is another network, or there is one again: whatever failed before says nothing about it.
function Scheduler:network_changed()
    self.failures, self.resume_at = 0, 0
    self:_next()
end

--- Somebody wants to know how it is now: what failed before is forgotten.
function Scheduler:reset()
    self.failures, self.resume_at = 0, 0
end

--- Forget what waits; what runs goes on.
function Scheduler:clear()
    self.queue = {}
end

local function best(self)
    local found
    local automatic = self:waits() <= 0
    for index, job in ipairs(self.queue) do
        if job.priority ~= "automatic" or automatic then
            if not found or RANK[job.priority] > RANK[self.queue[found].priority] then
                found = index
            end
        end
    end
    return found
end

function Scheduler:_next()
    if self.running then
        return
    end
    local index = best(self)
    if not index then
        if #self.queue > 0 and not self.is_timed then
            self.is_timed = true
            self.later(self:waits() + 0.1, function()
                self.is_timed = nil
                self:_next()
            end)
        end
        return
    end
    local job = table.remove(self.queue, index)
    self.running = job
    local is_done = false
    local function finish(err)
        if is_done then
            return
        end
        is_done = true
        self.running = nil
        self:_note(err)
        self:_next()
    end
    if self.failures >= OPEN_AFTER and job.priority == "automatic" and self.probe then
        self.probe(function(err)
            if err then
                table.insert(self.queue, 1, job)
                finish(err)
            else
                job.start(finish)
            end
        end)
    else
        job.start(finish)
    end
end

function Scheduler:_note(err)
    if not err then
        self.failures, self.resume_at = 0, 0
    elseif IS_OUTAGE[err.class] then
        self.failures = self.failures + 1
        local wait = WAITS[math.min(self.failures, #WAITS)] * (0.8 + 0.4 * self.chance())
        if err.retry_after then
            wait = math.max(wait, math.min(err.retry_after, 3600))
        end
        self.resume_at = self.clock() + wait
    end
end

return Scheduler
