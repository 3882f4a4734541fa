-- A book of fixed pages: places are page numbers. The model is `{"pages": n, "props": {…}, "toc": […]}`.
local json = require("cjson")

local Pages = {}
Pages.__index = Pages

function Pages.open(file)
    local handle = assert(io.open(file .. ".json"), "the book has no model: " .. file)
    local model = json.decode(handle:read("*a"))
    handle:close()
    local self = setmetatable({ file = file, model = model, info = { has_pages = true }, current = 1 }, Pages)
    self.configurable = {}
    self.provider = "mupdf"
    return self
end

function Pages:close()
    self.closed = true
end

function Pages:getProps()
    return self.model.props
end

function Pages:isEdited()
    return false
end

function Pages:getPageCount()
    return self.model.pages
end

function Pages:getCurrentPage()
    return self.current
end

function Pages:gotoPage(page)
    self.current = math.min(math.max(page, 1), self.model.pages)
end

function Pages:hasHiddenFlows()
    return false
end

function Pages:getToc()
    return self.model.toc or {}
end

function Pages:getPageBoxesFromPositions(_, from, to)
    return { { x = from.x, y = from.y, w = math.abs(to.x - from.x), h = 12 } }
end

function Pages:comparePositions(a, b)
    if a.page ~= b.page then
        return a.page < b.page and 1 or -1
    end
    if a.y ~= b.y then
        return a.y < b.y and 1 or -1
    end
    return a.x < b.x and 1 or a.x > b.x and -1 or 0
end

return Pages
