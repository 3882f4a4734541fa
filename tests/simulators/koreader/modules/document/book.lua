--[[--
A reflowable book as crengine shows it to Lua, made from a list of text nodes (see `book_model.py`).

An XPointer that cannot be found leads to page 1, without an error (koreader.md 5.5). Pages hold `page_size` characters,
so another size is another layout. A search leaves a selection on the screen until it is cleared.
]]
local json = require("cjson")

local Book = {}
Book.__index = Book

--- Every step with an index, as DOM version 20260812 spells it: the key under which nodes are found.
local function canonical(path)
    return (path:gsub("/([^/%[]+)%f[/%z]", "/%1[1]"))
end

local function characters(text)
    local list = {}
    for character in text:gmatch("[%z\1-\127\194-\244][\128-\191]*") do
        list[#list + 1] = character
    end
    return list
end

--- Opens the book whose model lies beside the file as `<file>.json`.
function Book.open(file)
    local handle = assert(io.open(file .. ".json"), "the book has no model: " .. file)
    local model = json.decode(handle:read("*a"))
    handle:close()
    local self = setmetatable({ file = file, model = model, page_size = 600, info = { has_pages = false } }, Book)
    self.configurable = { font_size = 22 }
    self.provider = "crengine"
    self.by_path, self.starts = {}, {}
    local total = 0
    for number, node in ipairs(model.nodes) do
        node.number, node.first = number, total
        node.letters = characters(node.text)
        total = total + #node.letters
        self.by_path[canonical(node.path)] = node
        if self.fragment ~= node.path:match("DocFragment%[?%d*") then
            self.fragment = node.path:match("DocFragment%[?%d*")
        end
    end
    for path, number in pairs(model.elements) do
        self.starts[canonical(path)] = { path = path, number = number }
    end
    self.total = total
    self.current = 0
    return self
end

function Book:close()
    self.closed = true
end

function Book:getProps()
    local props = {}
    for key, value in pairs(self.model.props) do
        props[key] = value
    end
    return props
end

function Book:isEdited()
    return false
end

-- Places: characters of the whole book, counted from 0

--- The place an XPointer names, or nil.
function Book:_place(xpointer)
    if type(xpointer) ~= "string" then
        return nil
    end
    local path, offset = xpointer:match("^(.*)%.(%d+)$")
    local key = canonical(path or xpointer)
    local node = self.by_path[key]
    if node then
        offset = tonumber(offset or 0)
        if offset > #node.letters then
            return nil -- beyond its end the whole pointer is invalid
        end
        return node.first + offset, node, offset
    end
    local start = self.starts[key]
    if start then
        node = self.model.nodes[math.min(start.number, #self.model.nodes)]
        return node.first, node, 0, start.path
    end
end

function Book:_node_at(place)
    local low, high = 1, #self.model.nodes
    while low < high do
        local middle = math.ceil((low + high) / 2)
        if self.model.nodes[middle].first <= place then
            low = middle
        else
            high = middle - 1
        end
    end
    return self.model.nodes[low]
end

function Book:_name(place)
    local node = self:_node_at(math.min(place, self.total - 1))
    return node.path .. "." .. (place - node.first)
end

function Book:isXPointerInDocument(xpointer)
    return self:_place(xpointer) ~= nil
end

--- The spelling this document was built with, or false.
function Book:getNormalizedXPointer(xpointer)
    local place, node, offset, element = self:_place(xpointer)
    if not place then
        return false
    end
    if element then
        return element .. (xpointer:match("%.%d+$") or "")
    end
    return node.path .. "." .. offset
end

--- 1 if `b` is after `a`, -1 before, 0 the same; nil if one is invalid.
function Book:compareXPointers(a, b)
    local one, two = self:_place(a), self:_place(b)
    if not one or not two then
        return nil
    end
    return one < two and 1 or one > two and -1 or 0
end

function Book:getTextFromXPointers(from, to)
    local first, last = self:_place(from), self:_place(to)
    if not first or not last or last < first then
        return nil
    end
    local out = {}
    local number = self:_node_at(first).number
    while number <= #self.model.nodes do
        local node = self.model.nodes[number]
        if node.first >= last then
            break
        end
        if #out > 0 and node.block then
            out[#out + 1] = "\n"
        end
        local start = math.max(first - node.first, 0) + 1
        out[#out + 1] = table.concat(node.letters, "", start, math.min(last - node.first, #node.letters))
        number = number + 1
    end
    return table.concat(out)
end

function Book:getTextFromXPointer(xpointer)
    local _, node = self:_place(xpointer)
    return node and node.text
end

-- Pages

function Book:getPageCount()
    return math.max(1, math.ceil(self.total / self.page_size))
end

function Book:_page(place)
    return math.min(math.floor(place / self.page_size) + 1, self:getPageCount())
end

function Book:getPageFromXPointer(xpointer)
    local place = self:_place(xpointer)
    return place and self:_page(place) or 1
end

function Book:getPosFromXPointer(xpointer)
    return (self:getPageFromXPointer(xpointer) - 1) * 800
end

function Book:getPageXPointer(page)
    return self:_name(math.min((page - 1) * self.page_size, self.total - 1))
end

function Book:getCurrentPage()
    return self:_page(self.current)
end

function Book:getXPointer()
    return self:_name(self.current)
end

function Book:gotoPage(page)
    self.current = math.min(math.max(page - 1, 0) * self.page_size, self.total - 1)
end

--- Silently to page 1 when the pointer is not found.
function Book:gotoXPointer(xpointer)
    self.current = math.min(self:_place(xpointer) or 0, self.total - 1)
end

function Book:isXPointerInCurrentPage(xpointer)
    return self:isXPointerInDocument(xpointer) and self:getPageFromXPointer(xpointer) == self:getCurrentPage()
end

function Book:getDocumentRenderingHash()
    return self.page_size
end

function Book:hasHiddenFlows()
    return false
end

function Book:getLatestDomVersion()
    return self.model.dom_version
end

function Book:getDomVersionWithNormalizedXPointers()
    return 20200223
end

function Book:isBuiltDomStale()
    return false
end

function Book:getToc()
    local toc = {}
    for i, entry in ipairs(self.model.toc) do
        local xpointer = self:getNormalizedXPointer(entry.path) or entry.path
        toc[i] = { title = entry.title, xpointer = xpointer, depth = entry.depth or 1 }
        toc[i].page = self:getPageFromXPointer(entry.path)
    end
    return toc
end

-- Search: within a paragraph, so that a pattern across two is not found

function Book:clearSelection()
    self.selection = nil
end

function Book:_paragraphs()
    local paragraphs = {}
    for _, node in ipairs(self.model.nodes) do
        if node.block or #paragraphs == 0 then
            table.insert(paragraphs, { first = node.first, texts = {} })
        end
        table.insert(paragraphs[#paragraphs].texts, node.text)
    end
    return paragraphs
end

--- Hits as `{start, ["end"], matched_text, prev_text, next_text}`; nil for none.
function Book:findAllText(pattern, case_insensitive, context, max_hits, regex)
    assert(not regex, "the stand-in knows no regular expressions")
    local hits = {}
    local wanted = case_insensitive and pattern:lower() or pattern
    self.selection = pattern
    for _, paragraph in ipairs(self:_paragraphs()) do
        local text = table.concat(paragraph.texts)
        local searched = case_insensitive and text:lower() or text
        local at = 1
        while #hits < (max_hits or 100) do
            local from, to = searched:find(wanted, at, true)
            if not from then
                break
            end
            local start = paragraph.first + #characters(text:sub(1, from - 1))
            local finish = start + #characters(text:sub(from, to))
            table.insert(hits, {
                start = self:_name(start),
                ["end"] = self:_end_name(finish),
                matched_text = text:sub(from, to),
                prev_text = (context or 0) > 0 and text:sub(math.max(1, from - context * 6), from - 1) or nil,
                next_text = (context or 0) > 0 and text:sub(to + 1, to + context * 6) or nil,
            })
            at = to + 1
        end
    end
    return #hits > 0 and hits or nil
end

--- An end stays in the text node it belongs to, behind its last character.
function Book:_end_name(place)
    local node = self:_node_at(place - 1)
    return node.path .. "." .. (place - node.first)
end

return Book
