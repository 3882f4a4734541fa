--- What the library has, asked page by page: series, authors, books, and the whole of a series.
local util = require("util")

local Catalogue = {}

local PAGES = 50 -- of one answer, at most: more than any series has

--- One page. `what`: "series", "authors" or "books"; `filter`: fields of the query. `on_done(answer, err)`.
function Catalogue.page(plugin, what, filter, number, on_done)
    local query = { "page=" .. number }
    for name, value in pairs(filter or {}) do
        table.insert(query, name .. "=" .. util.urlEncode(tostring(value)))
    end
    table.sort(query)
    plugin.server:ask({
        path = "library/" .. what .. "?" .. table.concat(query, "&"),
        on_done = function(answer, err)
            if answer and type(answer.items) ~= "table" then
                answer, err = nil, { class = "foreign" }
            end
            on_done(answer, err)
        end,
    })
end

--- All books of a filter, over all pages.
function Catalogue.books(plugin, filter, on_done)
    local found = {}
    local function ask(number)
        Catalogue.page(plugin, "books", filter, number, function(answer, err)
            if not answer then
                return on_done(nil, err)
            end
            for __, book in ipairs(answer.items) do
                table.insert(found, book)
            end
            if number < math.min(tonumber(answer.pages) or 1, PAGES) then
                return ask(number + 1)
            end
            return on_done(found)
        end)
    end
    ask(1)
end

--- The series that a book is in, in its order.
function Catalogue.series_of(plugin, book, on_done)
    plugin.server:ask({
        path = "series/" .. book,
        on_done = function(answer, err)
            on_done(answer and type(answer.items) == "table" and answer.items or nil, err or { class = "foreign" })
        end,
    })
end

return Catalogue
