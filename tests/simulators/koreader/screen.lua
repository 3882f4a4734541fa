--[[--
Looks at what is on the screen and presses it, as a person with a finger: what cannot be seen cannot be pressed.

`texts` gives every text of the topmost window; `press` finds a button or row by its text. Menus are driven by the path
of their entries, `menu("Bookwake", "Settings")`.
]]
local live = require("live")

local Event = live("ui/event")
local UIManager = live("ui/uimanager")

local screen = {}

local function ui()
    return require("apps/reader/readerui").instance or require("apps/filemanager/filemanager").instance
end

local function is_base(widget)
    return widget.name == "ReaderUI" or widget.name == "FileManager"
end

--- The topmost window that is neither a toast nor the reader or file manager; nil for none.
function screen.window()
    for i = #UIManager._window_stack, 1, -1 do
        local widget = UIManager._window_stack[i].widget
        if is_base(widget) then
            return nil
        end
        if not widget.toast and not widget.invisible then
            return widget
        end
    end
end

local function text_of(item)
    return item.text_func and item.text_func() or item.text
end

local function is_enabled(item)
    if item.enabled_func then
        return item.enabled_func()
    end
    return item.enabled ~= false and item.select_enabled ~= false
end

--- What can be pressed in a window: list of `{text, enabled, press, hold}`.
function screen.choices(widget)
    local list = {}
    local function add(text, enabled, press, hold)
        if text then
            table.insert(list, { text = text, enabled = enabled, press = press, hold = hold })
        end
    end
    local function closing(callback)
        return function()
            UIManager:close(widget)
            if callback then
                callback()
            end
        end
    end
    for _, row in ipairs(widget.buttons or widget.buttons_table or {}) do
        for _, button in ipairs(row) do
            add(text_of(button), is_enabled(button), button.callback, button.hold_callback)
        end
    end
    if widget.kind == "ConfirmBox" then
        add(widget.ok_text, true, closing(widget.ok_callback))
        add(widget.cancel_text, true, closing(widget.cancel_callback))
        for _, row in ipairs(widget.other_buttons or {}) do
            for _, button in ipairs(row) do
                add(button.text, true, closing(button.callback))
            end
        end
    elseif widget.kind == "MultiConfirmBox" then
        add(widget.choice1_text, true, closing(widget.choice1_callback))
        add(widget.choice2_text, true, closing(widget.choice2_callback))
        add(widget.cancel_text, true, closing(widget.cancel_callback))
    elseif widget.kind == "SpinWidget" then
        add(widget.ok_text, true, function()
            UIManager:close(widget)
            widget.callback(widget)
        end)
    elseif widget.kind == "KeyValuePage" then
        for _, pair in ipairs(widget.kv_pairs or {}) do
            if type(pair) == "table" then
                add(pair[1], pair.callback ~= nil, pair.callback, pair.hold_callback)
            end
        end
    elseif widget.kind == "RadioButtonWidget" then
        for _, row in ipairs(widget.radio_buttons) do
            for _, button in ipairs(row) do
                add(button.text, true, function()
                    UIManager:close(widget)
                    widget.callback({ provider = button.provider })
                end)
            end
        end
    elseif widget.kind == "PathChooser" then
        add("Choose", true, function()
            UIManager:close(widget)
            widget.onConfirm(widget.path)
        end)
    end
    for _, item in ipairs(widget.item_table or {}) do
        add(text_of(item), is_enabled(item), function()
            widget:onMenuSelect(item)
        end, function()
            widget:onMenuHold(item)
        end)
    end
    return list
end

--- Every text that the topmost window shows, one a line.
function screen.texts()
    local widget = screen.window()
    if not widget then
        return ""
    end
    local lines = {}
    local function add(text)
        if text and text ~= "" then
            table.insert(lines, tostring(text))
        end
    end
    add(widget.title)
    add(widget.subtitle)
    add(widget.text)
    add(widget.description)
    add(widget.input)
    for _, field in ipairs(widget.fields or {}) do
        add(field.description or field.hint)
        add(field.text)
    end
    for _, pair in ipairs(widget.kv_pairs or {}) do
        if type(pair) == "table" then
            add(pair[1] .. ": " .. tostring(pair[2]))
        end
    end
    if widget.kind ~= "KeyValuePage" then
        for _, choice in ipairs(screen.choices(widget)) do
            add(choice.enabled and choice.text or "(" .. choice.text .. ")")
        end
    end
    for _, item in ipairs(widget.item_table or {}) do
        add(item.mandatory)
    end
    return table.concat(lines, "\n")
end

local function find(text)
    local widget = assert(screen.window(), "no window is open to press '" .. text .. "' in")
    for _, choice in ipairs(screen.choices(widget)) do
        if choice.text == text then
            assert(choice.enabled, "'" .. text .. "' is greyed out")
            return choice
        end
    end
    error("there is no '" .. text .. "' on the screen:\n" .. screen.texts(), 3)
end

--- Presses a button or row of the topmost window, then lets a moment pass.
function screen.press(text)
    find(text).press()
    UIManager:advance(0.1)
end

function screen.hold(text)
    find(text).hold()
    UIManager:advance(0.1)
end

--- Types into the topmost window; with a number, into that field.
function screen.type(text, field)
    local widget = assert(screen.window(), "no window to type in")
    if widget.fields then
        widget.fields[field or 1].text = text
    else
        assert(widget.setInputText, "this window has no input")
        widget:setInputText(text)
    end
end

--- Closes the topmost window by a tap outside, or the back key.
function screen.dismiss()
    local widget = screen.window()
    if widget then
        if widget.kind == "ConfirmBox" or widget.kind == "MultiConfirmBox" then
            UIManager:close(widget)
            if widget.cancel_callback then
                widget.cancel_callback()
            end
        else
            widget:handleEvent(Event:new("Close"))
        end
        UIManager:advance(0.1)
    end
end

function screen.dismiss_all()
    for _ = 1, 20 do
        if not screen.window() then
            return
        end
        screen.dismiss()
    end
    error("a window cannot be closed:\n" .. screen.texts())
end

-- The main menu

local function entries(item)
    local list = item.sub_item_table_func and item.sub_item_table_func() or item.sub_item_table
    return assert(list, "'" .. text_of(item) .. "' has no entries")
end

local function walk(path, last)
    local list = ui().menu:tools()
    local item
    for depth = 1, last do
        item = nil
        for _, candidate in ipairs(list) do
            if text_of(candidate) == path[depth] then
                item = candidate
            end
        end
        if not item then
            local names = {}
            for _, candidate in ipairs(list) do
                table.insert(names, text_of(candidate))
            end
            error("no menu entry '" .. tostring(path[depth]) .. "' among: " .. table.concat(names, " | "), 3)
        end
        assert(is_enabled(item), "'" .. path[depth] .. "' is greyed out")
        if depth < last then
            list = entries(item)
        end
    end
    return item
end

--- The entries below a path: list of `{text, enabled, checked}`. Without one, those of Tools.
function screen.menu(...)
    local path = { ... }
    local list = #path == 0 and ui().menu:tools() or entries(walk(path, #path))
    local seen = {}
    for _, item in ipairs(list) do
        table.insert(seen, {
            text = text_of(item),
            enabled = is_enabled(item) and true or false,
            checked = item.checked_func and (item.checked_func() and true or false) or nil,
            help = item.help_text,
        })
    end
    return seen
end

--- The same as text: greyed ones in brackets, checked ones with a star.
function screen.menu_text(...)
    local lines = {}
    for _, item in ipairs(screen.menu(...)) do
        local text = (item.checked and "* " or "") .. item.text
        table.insert(lines, item.enabled and text or "(" .. text .. ")")
    end
    return table.concat(lines, "\n")
end

--- Chooses an entry of the menu.
function screen.choose(...)
    local item = walk({ ... }, select("#", ...))
    assert(item.callback, "nothing happens on '" .. text_of(item) .. "'")
    item.callback(require("main_menu").touchmenu_instance)
    UIManager:advance(0.1)
end

return screen
