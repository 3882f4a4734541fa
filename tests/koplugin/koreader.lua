--- For specs that need KOReader: puts the stand-in on the module path and starts it in a folder of the test's own.
--
--     local koreader = require("koreader")
--     local T, screen = koreader.start{ plugins = … }      -- see tests/simulators/koreader/standin.lua
--     koreader.stop()                                       -- in after_each
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
package.path = here .. "/../simulators/koreader/?.lua;" .. package.path

local lfs = require("lfs")
local cjson = require("cjson")
local remove = require("remove")
local standin = require("standin")

local koreader = { plugin = here .. "/../../koplugin/bookwake.koplugin" }

--- Starts KOReader; without `home` in a new folder that `stop` removes. Returns the person and the screen.
function koreader.start(options)
    options = options or {}
    if not options.home then
        koreader.made = os.tmpname()
        os.remove(koreader.made)
        lfs.mkdir(koreader.made)
        lfs.mkdir(koreader.made .. "/books")
        options.home, options.books = koreader.made .. "/koreader", koreader.made .. "/books"
    end
    koreader.books = options.books
    options.plugins = options.plugins or { koreader.plugin }
    standin.start(options)
    return require("person"), require("screen")
end

function koreader.stop()
    standin.stop()
    package.preload["bookwake_core"] = nil -- see fake_core
    if koreader.made then
        remove(koreader.made)
        koreader.made = nil
    end
end

--- A book of paragraphs: `{ {"Chapter 1", "A paragraph.", …}, … }`, one fragment for each chapter.
function koreader.book(name, chapters, props)
    local model = { dom_version = 20240114, nodes = {}, elements = {}, toc = {}, props = props or { title = name } }
    for number, chapter in ipairs(chapters) do
        local root = "/body/DocFragment[" .. number .. "]"
        model.elements[root] = #model.nodes + 1
        model.elements[root .. "/body"] = #model.nodes + 1
        table.insert(model.toc, { title = chapter[1], path = root .. ".0" })
        for i = 2, #chapter do
            local path = root .. "/body/p" .. (#chapter > 2 and "[" .. (i - 1) .. "]" or "")
            model.elements[path] = #model.nodes + 1
            table.insert(model.nodes, { path = path .. "/text()", text = chapter[i], block = true })
        end
    end
    local path = koreader.books .. "/" .. name
    local file = assert(io.open(path, "w"))
    file:write("the bytes of " .. name)
    file:close()
    file = assert(io.open(path .. ".json", "w"))
    file:write(cjson.encode(model))
    file:close()
    return path
end

return koreader
