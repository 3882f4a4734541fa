-- The event loop with a clock of its own: time passes only in `advance`, and with it `os.time`.
--
-- Windows are a stack. `sendEvent` reaches the topmost window that is no toast, so an InfoMessage swallows what was
-- meant for the reader; `broadcastEvent` reaches all (koreader.md 3.5).
local Event = require("ui/event")
local logger = require("logger")

local UIManager = {
    _window_stack = {},
    _tasks = {},
    _sequence = 0,
    elapsed = 0, -- seconds since the start
    standby_prevented = 0,
    repaints = 0,
}

function UIManager:schedule(at, action, ...)
    assert(type(action) == "function", "a task must be a function")
    self._sequence = self._sequence + 1
    local args = { n = select("#", ...), ... }
    table.insert(self._tasks, { at = at, order = self._sequence, action = action, args = args })
end

function UIManager:scheduleIn(seconds, action, ...)
    self:schedule(self.elapsed + seconds, action, ...)
end

function UIManager:nextTick(action, ...)
    self:scheduleIn(0, action, ...)
end

function UIManager:tickAfterNext(action, ...)
    local args = { n = select("#", ...), ... }
    self:nextTick(function()
        self:nextTick(action, unpack(args, 1, args.n))
    end)
end

--- Forgets every task with this very function; true if there was one.
function UIManager:unschedule(action)
    local found = false
    for i = #self._tasks, 1, -1 do
        if self._tasks[i].action == action then
            table.remove(self._tasks, i)
            found = true
        end
    end
    return found
end

function UIManager:debounce(seconds, immediate, action)
    local args, waiting
    local function run()
        waiting = false
        if not immediate then
            action(unpack(args, 1, args.n))
        end
    end
    return function(...)
        args = { n = select("#", ...), ... }
        self:unschedule(run)
        if immediate and not waiting then
            action(...)
        end
        waiting = true
        self:scheduleIn(seconds, run)
    end
end

function UIManager:_due(limit)
    local first
    for i, task in ipairs(self._tasks) do
        local best = first and self._tasks[first]
        if task.at <= limit and (not best or task.at < best.at or (task.at == best.at and task.order < best.order)) then
            first = i
        end
    end
    return first
end

--- Lets so many seconds pass. A task that fails ends the program, as it would end KOReader.
function UIManager:advance(seconds)
    local limit = self.elapsed + (seconds or 0)
    local ran = 0
    while true do
        local due = self:_due(limit)
        if not due or self._exit_code then
            break
        end
        ran = ran + 1
        assert(ran < 200000, "the event loop never comes to rest")
        local task = table.remove(self._tasks, due)
        self.elapsed = math.max(self.elapsed, task.at)
        task.action(unpack(task.args, 1, task.args.n))
    end
    self.elapsed = math.max(self.elapsed, limit)
end

function UIManager:show(widget)
    assert(type(widget) == "table" and widget.handleEvent, "only a widget can be shown")
    local at = #self._window_stack + 1
    while not widget.toast and at > 1 and self._window_stack[at - 1].widget.toast do
        at = at - 1
    end
    table.insert(self._window_stack, at, { widget = widget })
    widget:handleEvent(Event:new("Show"))
    if widget.timeout and widget.timeout > 0 then
        self:scheduleIn(widget.timeout, function()
            if self:isWidgetShown(widget) then
                self:close(widget)
            end
        end)
    end
end

function UIManager:close(widget)
    if not widget then
        logger.dbg("attempted to close a nil widget")
        return
    end
    widget:handleEvent(Event:new("FlushSettings"))
    widget:handleEvent(Event:new("CloseWidget"))
    for i = #self._window_stack, 1, -1 do
        if self._window_stack[i].widget == widget then
            table.remove(self._window_stack, i)
        end
    end
end

function UIManager:isWidgetShown(widget)
    for _, window in ipairs(self._window_stack) do
        if window.widget == widget then
            return true
        end
    end
    return false
end

function UIManager:getTopmostVisibleWidget()
    for i = #self._window_stack, 1, -1 do
        if not self._window_stack[i].widget.invisible then
            return self._window_stack[i].widget
        end
    end
end

function UIManager:sendEvent(event)
    for i = #self._window_stack, 1, -1 do
        local widget = self._window_stack[i].widget
        widget:handleEvent(event)
        if not widget.toast then
            return
        end
    end
end

function UIManager:broadcastEvent(event)
    local windows = {}
    for _, window in ipairs(self._window_stack) do
        table.insert(windows, 1, window.widget)
    end
    for _, widget in ipairs(windows) do
        widget:handleEvent(event)
    end
end

function UIManager:getElapsedTimeSinceBoot()
    return math.floor(self.elapsed * 1000000)
end

UIManager.getTime = UIManager.getElapsedTimeSinceBoot

function UIManager:setDirty() end

function UIManager:forceRePaint()
    self.repaints = self.repaints + 1
end

function UIManager:preventStandby()
    self.standby_prevented = self.standby_prevented + 1
end

function UIManager:allowStandby()
    assert(self.standby_prevented > 0, "allowStandby without preventStandby")
    self.standby_prevented = self.standby_prevented - 1
end

function UIManager:flushSettings()
    self:broadcastEvent(Event:new("FlushSettings"))
end

function UIManager:askForRestart(text)
    local ConfirmBox = require("ui/widget/confirmbox")
    self:show(ConfirmBox:new({
        text = text or "This will take effect on next restart.",
        ok_text = "Restart now",
        cancel_text = "Restart later",
        ok_callback = function()
            self:restartKOReader()
        end,
    }))
end

function UIManager:restartKOReader()
    self:broadcastEvent(Event:new("Restart"))
    self:quit(85)
end

function UIManager:quit(code)
    self._exit_code = code or 0
end

function UIManager:runOnce() end

function UIManager:setIgnoreTouchInput() end

return UIManager
