--- Work in a forked process, while the reader goes on reading.
--
-- The child only computes and talks to the network; it returns one string through a pipe. All state is written by the
-- parent. Where forking fails (little memory, a large book) nothing is done, rather than something slow in the parent
-- (docs/reference/koreader.md 3.11).
local Background = {}
Background.__index = Background

local FIRST_LOOK, SLOWEST_LOOK = 0.125, 1 -- seconds

--- @param options `ffiutil`; `later(seconds, fn)`; `clock`: seconds that never go back;
-- `hold(on)`: optional, keeps the device from standing by
function Background.new(options)
    local self = setmetatable({}, Background)
    self.ffiutil, self.later, self.clock, self.hold = options.ffiutil, options.later, options.clock, options.hold
    return self
end

--- @param task runs in the child, returns a string
-- @param seconds after which the child is killed
-- @param on_done called in the parent with the string, or with nil and "fork", "timeout" or "died"
-- @return a function that stops it; `on_done` is not called then
function Background:run(task, seconds, on_done)
    local ffiutil = self.ffiutil
    local pid, fd = ffiutil.runInSubProcess(function(_, child_fd)
        local ok, result = pcall(task)
        ffiutil.writeToFD(child_fd, ok and type(result) == "string" and result or "", true)
    end, true)
    if not pid then
        on_done(nil, "fork")
        return function() end
    end
    if self.hold then
        self.hold(true)
    end
    local deadline, wait, is_over = self.clock() + seconds, FIRST_LOOK, false

    local function collect()
        if not ffiutil.isSubProcessDone(pid) then
            self.later(SLOWEST_LOOK, collect)
        end
    end

    local function over(text, why)
        is_over = true
        if self.hold then
            self.hold(false)
        end
        if on_done then
            on_done(text, why)
        end
    end

    local function kill()
        ffiutil.terminateSubProcess(pid)
        ffiutil.readAllFromFD(fd)
        collect()
    end

    local function look()
        if is_over then
            return
        end
        if ffiutil.getNonBlockingReadSize(fd) ~= 0 then
            local text = ffiutil.readAllFromFD(fd)
            collect()
            over(text)
        elseif ffiutil.isSubProcessDone(pid) then
            -- What it wrote between the two looks.
            local text = ffiutil.readAllFromFD(fd)
            over(text ~= "" and text or nil, text == "" and "died" or nil)
        elseif self.clock() > deadline then
            kill()
            over(nil, "timeout")
        else
            wait = math.min(wait * 1.25, SLOWEST_LOOK)
            self.later(wait, look)
        end
    end
    self.later(wait, look)

    return function()
        if not is_over then
            on_done = nil
            kill()
            over()
        end
    end
end

return Background
