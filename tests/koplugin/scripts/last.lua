--- A life of KOReader that nothing disturbs: syncs until nothing is left, and tells what is in the book.
local T = ...

require("standin").now = require("socket").gettime
T.open(T.args[1])
T.wait(3)
local result
for _ = 1, 6 do
    result = nil
    local plugin = T.plugin("bookwake")
    plugin:capture()
    plugin.sync:now({
        file = plugin.file,
        reason = "person",
        on_done = function(done)
            result = done
        end,
    })
    T.waitfor(function()
        return result
    end, 120, "a sync")
    assert(not result.error, result.error and (result.error.class .. ": " .. tostring(result.error.message)))
end
local items = {}
for index, item in ipairs(T.reader().annotation.annotations) do
    items[index] = {
        text = item.text,
        note = item.note,
        name = item.bookwake,
        pos0 = item.pos0,
        pos1 = item.pos1,
        drawer = item.drawer,
        color = item.color,
    }
end
local state = T.plugin("bookwake").state
T.result({
    items = items,
    pending = state:pending().total,
    trouble = state:trouble().last_error,
    quarantined = state:trouble().quarantined,
    rejected = state:trouble().rejected,
    unplaced = state:book(T.args[1]).unplaced,
})
T.close()
