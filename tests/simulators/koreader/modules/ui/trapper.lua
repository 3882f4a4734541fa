-- Work beside the user interface: a coroutine that yields to the event loop while a forked process works.
--
-- `mode` is the trap: "fork" (what KOReader does), "fails" (no memory for another process), "dismissed" (a tap).
local ffiutil = require("ffi/util")
local buffer = require("string.buffer")
local InfoMessage = require("ui/widget/infomessage")
local UIManager = require("ui/uimanager")
local logger = require("logger")

local Trapper = { mode = "fork" }

function Trapper:wrap(task)
    local thread = coroutine.create(task)
    self.thread = thread
    local ok, err = coroutine.resume(thread)
    if not ok then
        logger.warn("error in wrapped function:", err, debug.traceback(thread))
        return false
    end
    self:reset()
    return true
end

function Trapper:isWrapped()
    return coroutine.running() ~= nil
end

local function resume(thread, value)
    local ok, err = coroutine.resume(thread, value)
    if not ok then
        logger.warn("error in wrapped function:", err, debug.traceback(thread))
        Trapper.failure = err
    end
end

function Trapper:clear()
    if self.current_widget then
        UIManager:close(self.current_widget)
        self.current_widget = nil
    end
end

function Trapper:reset()
    return true
end

--- Shows a text, and gives the loop a tenth of a second; false once it was dismissed.
function Trapper:info(text)
    local thread = coroutine.running()
    if not thread then
        return true
    end
    local dismissed = self.current_widget and self.current_widget.was_dismissed
    if not dismissed and self.current_widget then
        UIManager:scheduleIn(0.1, resume, thread, true)
        coroutine.yield()
        dismissed = self.current_widget and self.current_widget.was_dismissed
    end
    if dismissed then
        self:clear()
        return false
    end
    if text then
        self:clear()
        local widget
        widget = InfoMessage:new({
            text = text,
            dismiss_callback = function()
                widget.was_dismissed = true
            end,
        })
        self.current_widget = widget
        UIManager:show(widget)
    end
    return true
end

function Trapper:confirm(text, cancel_text, ok_text)
    local thread = assert(coroutine.running())
    local ConfirmBox = require("ui/widget/confirmbox")
    self:clear()
    UIManager:show(ConfirmBox:new({
        text = text,
        cancel_text = cancel_text,
        ok_text = ok_text,
        cancel_callback = function()
            UIManager:nextTick(resume, thread, false)
        end,
        ok_callback = function()
            UIManager:nextTick(resume, thread, true)
        end,
    }))
    return coroutine.yield()
end

--- Runs `task` in a child. What it changes in memory is lost; what it returns must survive `string.buffer`.
function Trapper:dismissableRunInSubprocess(task, widget, simple)
    local thread = coroutine.running()
    if not thread then
        self.blocked = (self.blocked or 0) + 1
        return true, task()
    end
    local trap = type(widget) == "table" and widget or {}
    local own
    if type(widget) == "string" then
        own = InfoMessage:new({ text = widget })
        UIManager:show(own)
        trap = own
    end
    local dismissed = self.mode == "dismissed"
    trap.dismiss_callback = function()
        dismissed = true
    end
    local pid, fd
    if self.mode ~= "fails" then
        pid, fd = ffiutil.runInSubProcess(function(_, out)
            local data
            if simple then
                local text = task()
                data = type(text) == "string" and text or ""
            else
                local results = { n = 0 }
                local function pack(...)
                    results = { n = select("#", ...), ... }
                end
                pack(task())
                data = buffer.encode(results)
            end
            ffiutil.writeToFD(out, data, true)
        end, true)
    end
    if not pid then
        if own then
            UIManager:close(own)
        end
        return false
    end
    local interval, output = 0.125, nil
    while true do
        UIManager:scheduleIn(interval, resume, thread, true)
        coroutine.yield()
        if dismissed then
            ffiutil.terminateSubProcess(pid)
            ffiutil.isSubProcessDone(pid, true)
            ffiutil.readAllFromFD(fd)
            break
        end
        -- The child works in real time, the loop in its own.
        ffiutil.waitReadable(fd, 50)
        local done = ffiutil.isSubProcessDone(pid)
        if done or ffiutil.getNonBlockingReadSize(fd) ~= 0 then
            output = ffiutil.readAllFromFD(fd)
            if not done then
                ffiutil.isSubProcessDone(pid, true)
            end
            break
        end
        interval = math.min(interval * 1.1, 1)
    end
    if own then
        UIManager:close(own)
    end
    if dismissed then
        return false
    end
    if simple then
        return true, output ~= "" and output or nil
    end
    local ok, results = pcall(buffer.decode, output or "")
    if ok and type(results) == "table" then
        return true, unpack(results, 1, results.n)
    end
    return true
end

return Trapper
