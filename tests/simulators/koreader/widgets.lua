-- The windows that a plugin opens: what they were given, and the methods that callers use. `screen` presses them.
local widgets = {}

local function define()
    local UIManager = require("ui/uimanager")
    local Widget = require("ui/widget/container/widgetcontainer")

    local function closes(class)
        function class:onClose()
            UIManager:close(self)
            return true
        end
        return class
    end

    local made = {}

    made.infomessage = closes(Widget:extend({ kind = "InfoMessage" }))
    function made.infomessage:onCloseWidget()
        if self.dismiss_callback then
            self.dismiss_callback()
        end
    end

    made.confirmbox = closes(Widget:extend({ kind = "ConfirmBox", ok_text = "OK", cancel_text = "Cancel" }))

    made.multiconfirmbox = closes(Widget:extend({ kind = "MultiConfirmBox", cancel_text = "Cancel" }))

    made.notification = Widget:extend({ kind = "Notification", toast = true, timeout = 2 })
    made.notification.past = {}
    made.notification.SOURCE_ALWAYS_SHOW = 0x8000
    -- Without a source it comes from "other", which nobody sees who has not asked for it.
    function made.notification:notify(text, source)
        if source == self.SOURCE_ALWAYS_SHOW then
            UIManager:show(made.notification:new({ text = text }))
            return true
        end
        return false
    end
    function made.notification:onShow()
        table.insert(made.notification.past, self.text)
    end

    made.inputdialog = closes(Widget:extend({ kind = "InputDialog", input = "" }))
    function made.inputdialog:getInputText()
        return self.input
    end
    made.inputdialog.getInputValue = function(self)
        return self.input_type == "number" and tonumber(self.input) or self.input
    end
    function made.inputdialog:setInputText(text)
        self.input = text
    end
    function made.inputdialog:addTextToInput(text)
        self.input = self.input .. text
    end
    function made.inputdialog:onShowKeyboard() end
    function made.inputdialog:onCloseKeyboard() end

    made.multiinputdialog = made.inputdialog:extend({ kind = "MultiInputDialog" })
    function made.multiinputdialog:init()
        for _, field in ipairs(self.fields) do
            field.text = field.text or ""
        end
    end
    function made.multiinputdialog:getFields()
        local texts = {}
        for i, field in ipairs(self.fields) do
            texts[i] = field.text
        end
        return texts
    end

    made.buttondialog = closes(Widget:extend({ kind = "ButtonDialog" }))
    function made.buttondialog:setTitle(title)
        self.title = title
    end

    made.textviewer = closes(Widget:extend({ kind = "TextViewer" }))

    made.keyvaluepage = closes(Widget:extend({ kind = "KeyValuePage" }))

    made.menu = Widget:extend({ kind = "Menu", item_table = {}, page = 1 })
    function made.menu:switchItemTable(title, items)
        self.title = title or self.title
        self.item_table = items or self.item_table
    end
    function made.menu:updateItems() end
    function made.menu:init()
        self.item_table_stack = {}
    end
    --- A choice is followed by `close_callback`, where there is one.
    function made.menu:onMenuSelect(item)
        if item.sub_item_table then
            table.insert(self.item_table_stack, { title = self.title, items = self.item_table })
            self:switchItemTable(item.text, item.sub_item_table)
        elseif item.select_enabled ~= false then
            self:onMenuChoice(item)
            if self.close_callback then
                self.close_callback()
            end
        end
        return true
    end
    function made.menu:onMenuChoice(item)
        if item.callback then
            item.callback()
        end
        return true
    end
    function made.menu:onMenuHold()
        return true
    end
    function made.menu:onReturn() end
    function made.menu:onClose()
        local parent = table.remove(self.item_table_stack)
        if parent then
            self:switchItemTable(parent.title, parent.items)
        else
            UIManager:close(self)
            if self.close_callback then
                self.close_callback()
            end
        end
        return true
    end

    made.progressbardialog = closes(Widget:extend({ kind = "ProgressbarDialog" }))
    made.progressbardialog.shown = {}
    function made.progressbardialog:init()
        assert(self.title or self.subtitle or self.progress_max, "nothing to show")
    end
    function made.progressbardialog:show()
        UIManager:show(self)
    end
    function made.progressbardialog:close()
        UIManager:close(self)
    end
    function made.progressbardialog:reportProgress(value)
        self.value = value
    end
    function made.progressbardialog:redrawProgressbarIfNeeded() end
    function made.progressbardialog:onCloseWidget()
        if self.dismiss_callback then
            local callback = self.dismiss_callback
            self.dismiss_callback = nil
            callback()
        end
    end

    made.spinwidget = closes(Widget:extend({ kind = "SpinWidget", ok_text = "Set" }))
    made.radiobuttonwidget = closes(Widget:extend({ kind = "RadioButtonWidget" }))
    made.pathchooser = closes(Widget:extend({ kind = "PathChooser" }))
    made.qrmessage = closes(Widget:extend({ kind = "QRMessage" }))
    made.trapwidget = closes(Widget:extend({ kind = "TrapWidget", invisible = true }))

    return made
end

--- Lets `require("ui/widget/…")` find them; each is made when it is first asked for.
function widgets.install()
    local all
    local function provide(name)
        return function()
            all = all or define()
            return all[name]
        end
    end
    for _, name in ipairs({
        "infomessage",
        "confirmbox",
        "multiconfirmbox",
        "notification",
        "inputdialog",
        "multiinputdialog",
        "buttondialog",
        "textviewer",
        "keyvaluepage",
        "menu",
        "progressbardialog",
        "spinwidget",
        "radiobuttonwidget",
        "pathchooser",
        "qrmessage",
        "trapwidget",
    }) do
        package.preload["ui/widget/" .. name] = provide(name)
    end
    package.preload["ui/widget/widget"] = function()
        return require("ui/widget/container/widgetcontainer")
    end
    package.preload["ui/widget/container/inputcontainer"] = package.preload["ui/widget/widget"]
    package.preload["ui/bidi"] = function()
        return setmetatable({}, {
            __index = function()
                return function(text)
                    return text
                end
            end,
        })
    end
end

return widgets
