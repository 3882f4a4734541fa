--- Asks a person for a line of text, with the keyboard shown.
local InputDialog = require("ui/widget/inputdialog")
local UIManager = require("ui/uimanager")
local _ = require("bookwake_gettext")

--- @param options `title`; `description`, `input` (what stands there already) and `input_hint` if there are any;
-- `ok_text` and `on_ok(text, close)`: the answer stays on the screen until `close` is called; `other`: one more button,
-- `{text, on_tap(text)}`
return function(options)
    local dialog
    local function close()
        UIManager:close(dialog)
    end
    local buttons = { { text = _("Cancel"), id = "close", callback = close } }
    if options.other then
        table.insert(buttons, {
            text = options.other.text,
            callback = function()
                options.other.on_tap(dialog:getInputText())
            end,
        })
    end
    table.insert(buttons, {
        text = options.ok_text,
        is_enter_default = true,
        callback = function()
            options.on_ok(dialog:getInputText(), close)
        end,
    })
    dialog = InputDialog:new({
        title = options.title,
        description = options.description,
        input = options.input or "",
        input_hint = options.input_hint,
        buttons = { buttons },
    })
    UIManager:show(dialog)
    dialog:onShowKeyboard()
end
