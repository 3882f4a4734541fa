-- Names of downloads: what belongs to a missing part goes with it, and nothing leaves the folder.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path

local koreader = require("koreader")

local VOLUME = { id = 1, title = "The Gate", series = "Harbour", series_index = 2, authors = { "Ada Test", "Bo" } }
local SINGLE = { id = 2, title = "Alone", authors = { "Ada Test" } }

describe("Names of downloads", function()
    local FileName

    setup(function()
        koreader.start()
        FileName = require("bookwake_filename")
    end)
    teardown(koreader.stop)

    local function names(template)
        return { FileName.of(template, VOLUME), FileName.of(template, SINGLE) }
    end

    it("puts a series into a folder, and numbers its volumes", function()
        assert.same({ "Harbour/Vol. 2 — The Gate", "Alone" }, names(FileName.SERIES))
        assert.same({ "Harbour — Vol. 2 — The Gate", "Alone" }, names(FileName.FLAT))
    end)

    it("fills a person's own template", function()
        local own = "{author}/{series} {volume:00} - {title}"
        assert.same({ "Ada Test/Harbour 02 - The Gate", "Ada Test/Alone" }, names(own))
        assert.same({ "The Gate (Harbour 2)", "Alone" }, names("{title} ({series} {volume})"))
        assert.same({ "The Gate [Harbour #2]", "Alone" }, names("{title} [{series} #{volume}]"))
        assert.same({ "002 The Gate", "Alone" }, names("{volume:000} {title}"))
        assert.same({ "harbour/THE GATE", "ALONE" }, names("Lower({series})/Upper({title})"))
        assert.same({ "harbour, vol. 2/The Gate", "Alone" }, names("Lower({series}, Vol. {volume})/{title}"))
        assert.same({ "Under/Ada Test/The Gate", "Under/Ada Test/Alone" }, names("Under/{author}/{title}"))
    end)

    it("gives half volumes their half", function()
        local half = { title = "Between", series = "Harbour", series_index = 2.5 }
        assert.equal("Harbour/Vol. 2.5 — Between", FileName.of(FileName.SERIES, half))
        assert.equal("02.5 Between", FileName.of("{volume:00} {title}", half))
        half.series = nil
        assert.equal("Between", FileName.of(FileName.SERIES, half))
    end)

    it("leaves the folder by no value and by no template", function()
        local evil = { id = 3, title = "../../etc/passwd", series = "..", series_index = 1, authors = { "/root" } }
        assert.equal("Vol. 1 — -..-etc-passwd", FileName.of(FileName.SERIES, evil))
        assert.equal("-root/-..-etc-passwd", FileName.of("{author}/{title}", evil))
        assert.equal("Alone", FileName.of("../../{title}", SINGLE))
        assert.equal("Alone", FileName.of("/{title}", SINGLE))
        assert.equal("a/Alone", FileName.of("a/./../{title}", SINGLE))
    end)

    it("makes names that FAT can hold", function()
        assert.equal("Who - Why What", FileName.of("{title}", { title = 'Who: Why? "What"*\n' }))
        assert.equal("book-9", FileName.of("{title}", { id = 9, title = "..." }))
        assert.equal("book-9", FileName.of("{series}/{title}", { id = 9, title = "" }))
        local long = FileName.of("{title}", { title = ("é"):rep(200) })
        assert.is_true(#long <= 120)
        assert.equal("é", long:sub(-2))
    end)

    it("refuses what it does not understand, with a sentence", function()
        for template, why in pairs({
            ["{titel}"] = "There is no part {titel}.",
            ["{title"] = "A brace is not closed.",
            ["title}"] = "A brace is closed that was not opened.",
            ["Lower({title}"] = "Lower( is not closed.",
            ["{author}"] = "Without {title} or {volume} all books would have one name.",
            [""] = "Without {title} or {volume} all books would have one name.",
        }) do
            assert.same({ nil, why }, { FileName.check(template) })
            assert.is_nil((FileName.preview(template)))
        end
        assert.is_true(FileName.check("Love and Unity/{title}"))
        assert.equal("Love and Unity/Alone", FileName.of("Love and Unity/{title}", SINGLE))
    end)

    it("never makes anything but a clean path, whatever it is given", function()
        local pieces = { "{series}", "{volume}", "{title}", "{author}", "/", "..", " - ", "Vol. ", "(", ")", "é", "." }
        local values = { nil, "", "a/b", "..", ".", "  ", "é", "x: y", "-", "—" }
        math.randomseed(7)
        for _ = 1, 3000 do
            local template, count = "", math.random(1, 8)
            for __ = 1, count do
                template = template .. pieces[math.random(#pieces)]
            end
            local function any()
                return values[math.random(10)]
            end
            local book = { id = 5, title = any(), series = any(), series_index = 1, authors = { any() } }
            local path = FileName.of(template, book)
            assert.is_nil(path:find("//", 1, true))
            assert.is_nil(path:find("^/"))
            assert.is_nil(path:find("/$"))
            for name in path:gmatch("[^/]+") do
                assert.is_true(name ~= "." and name ~= ".." and name:sub(1, 1) ~= ".", template)
            end
            assert.is_true(path ~= "")
        end
    end)
end)
