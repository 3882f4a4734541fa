--- What the server has given and the book has not taken yet, a file for each book.
--
-- Only a copy: the server gives everything again until it hears what became of it, so nothing is lost with it.
local Inbox = {}
Inbox.__index = Inbox

function Inbox.open(store)
    return setmetatable({ store = store }, Inbox)
end

local function name_of(file)
    return "inbox/" .. file .. ".json"
end

--- @return `{annotations = {…}, more, state}`, or nil
function Inbox:get(file)
    return (self.store:read(name_of(file)))
end

--- Put what was pulled in the place of what was there; nothing takes the file away.
function Inbox:put(file, content)
    if content and ((content.annotations and #content.annotations > 0) or content.state) then
        return self.store:write(name_of(file), content)
    end
    if self.store.files.exists(self.store.root .. "/" .. name_of(file)) then
        self.store:remove(name_of(file))
    end
    return true
end

return Inbox
