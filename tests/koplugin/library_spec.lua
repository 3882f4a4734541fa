-- Looking through the library and downloading: skip what is here, whole files only, known as that book at once.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path

local fake_core = require("fake_core")
local koreader = require("koreader")
local lfs = require("lfs")

describe("The library", function()
    local T, screen, core, contents

    local function book(number, series)
        local text = "the bytes of volume " .. number
        contents[number] = text
        local digest = require("ffi/sha2").md5(text)
        return {
            id = number,
            title = "Volume " .. number,
            authors = { "Ada" },
            series = series,
            series_index = series and number or nil,
            files = { { format = "epub", size = #text, file = digest, name = "v.epub" } },
        }
    end

    before_each(function()
        core = fake_core.install()
        T, screen = koreader.start()
        G_reader_settings:saveSetting("home_dir", koreader.books)
        fake_core.paired(core)
        contents = {}
        local shelf = {}
        for number = 1, 5 do
            shelf[number] = book(number, number <= 4 and "Tales" or nil)
        end
        core.answers["library/series"] = { items = { { name = "Tales", books = 4, authors = { "Ada" } } }, pages = 1 }
        core.answers["library/authors"] = { items = { { name = "Ada", books = 5 } }, pages = 1 }
        core.answers["library/books"] = function(_body, request)
            local page = tonumber(request.path:match("page=(%d+)"))
            local found = {}
            for number, one in ipairs(shelf) do
                if not request.path:find("series=Tales", 1, true) or one.series then
                    table.insert(found, shelf[number])
                end
            end
            local items = {}
            for i = (page - 1) * 2 + 1, math.min(page * 2, #found) do
                table.insert(items, found[i])
            end
            return { items = items, page = page, pages = math.ceil(#found / 2), total = #found }
        end
        core.answers["series/*"] = { items = { shelf[1], shelf[2], shelf[3], shelf[4] } }
        for number = 1, 5 do
            core.answers["download/" .. number] = function()
                return contents[number]
            end
        end
    end)

    after_each(function()
        assert.same({}, T.failures())
        koreader.stop()
    end)

    local function read(path)
        return require("util").readFromFile(koreader.books .. "/" .. path)
    end

    it("shows series with authors and counts, page by page, and downloads a book", function()
        screen.choose("Bookwake", "Browse library")
        assert.equal("Library\nSeries\nAuthors\nNew books\nAll books\nSearch", screen.texts())
        screen.press("Series")
        assert.equal("Series\nTales – Ada\n4 books", screen.texts())
        screen.press("Tales – Ada")
        assert.truthy(screen.texts():find("Download all 4 books\nVolume 1 (Tales 1) – Ada\nVolume 2", 1, true))
        screen.press("More (page 2 of 2)")
        assert.truthy(screen.texts():find("Volume 4 (Tales 4) – Ada", 1, true))
        assert.is_nil(screen.texts():find("More", 1, true))
        screen.press("Volume 3 (Tales 3) – Ada")
        screen.press("Download")
        T.wait(1)
        assert.equal("One book was downloaded.\nRead now\nClose", screen.texts())
        assert.equal(contents[3], read("Tales/Vol. 3 — Volume 3.epub"))
        local path = koreader.books .. "/Tales/Vol. 3 — Volume 3.epub"
        assert.same("exact", core.matched[path].how)
        assert.same(3, core.matched[path].book.id)
        assert.is_true(T.fm().refreshed >= 1)
    end)

    it("leaves no list under a book that is opened, which would come up when KOReader is left", function()
        screen.choose("Bookwake", "Browse library")
        screen.press("Series")
        T.open(koreader.book("lantern.epub", { { "One", "The lantern keeper counted seven boats." } }))
        assert.equal(1, #require("ui/uimanager")._window_stack)
    end)

    it("downloads a whole series, skipping what is here by its book and not by its name", function()
        local path = koreader.books .. "/renamed by me.epub"
        require("util").writeToFile("whatever", path)
        core.matched[path] = { file = ("a"):rep(32), how = "linked", book = { id = 2 } }
        screen.choose("Bookwake", "Browse library")
        screen.press("Series")
        screen.press("Tales – Ada")
        assert.truthy(screen.texts():find("✓", 1, true))
        screen.press("Download all 4 books")
        screen.press("Download")
        T.wait(2)
        assert.equal("3 books were downloaded.\nOne was here already.", screen.texts())
        assert.is_nil(read("Tales/Vol. 2 — Volume 2.epub"))
        assert.equal(contents[4], read("Tales/Vol. 4 — Volume 4.epub"))
        -- Again: nothing is fetched twice.
        local asked = #core.asked
        require("bookwake_download_screen").books(T.plugin(), { { id = 2, title = "x" } })
        T.wait(1)
        assert.equal(asked, #core.asked)
    end)

    it("takes what comes after the open book as the rest of the series", function()
        local open = koreader.book("v2.epub", { { "One", "Text." } })
        T.open(open)
        core.shown.books[open] = { match = { how = "exact", book = { id = 2, series = "Tales", series_index = 2 } } }
        core.matched[open] = { file = "x", book = { id = 2 } }
        screen.choose("Bookwake", "Series of this book", "Download the rest")
        T.wait(2)
        assert.equal("2 books were downloaded.", screen.texts())
        screen.dismiss()
        screen.choose("Bookwake", "Series of this book", "Download all")
        T.wait(2)
        assert.equal("One book was downloaded.\n3 were here already.", screen.texts())
    end)

    it("keeps nothing of a file that is not whole or not the one", function()
        core.answers["download/5"] = function()
            return "a captive portal's page"
        end
        require("bookwake_download_screen").books(T.plugin(), { book(5) })
        T.wait(1)
        assert.equal("“Volume 5” failed: What came is not what the server has.", screen.texts())
        assert.is_nil(read("Volume 5.epub"))
        assert.is_nil(read("Volume 5.epub.part"))
        assert.same({}, core.matched)
    end)

    it("stops at the first book when the server is gone, and says so", function()
        core.answers["download/1"] = function()
            return nil
        end
        require("bookwake_download_screen").books(T.plugin(), { book(1), book(2), book(3) })
        T.wait(2)
        assert.truthy(screen.texts():find("“Volume 1” failed: http://books.lan does not answer", 1, true))
        assert.truthy(screen.texts():find("The rest was not tried.", 1, true))
        assert.is_nil(core.matched[koreader.books .. "/Volume 2.epub"])
    end)

    it("does not fill the reader's memory to the brim", function()
        require("standin").disk = { available = 1000 }
        require("bookwake_download_screen").books(T.plugin(), { book(5), book(4) })
        T.wait(1)
        require("standin").disk = nil
        assert.truthy(screen.texts():find("There is no room for it on this reader.", 1, true))
        assert.truthy(screen.texts():find("The rest was not tried.", 1, true))
    end)

    it("never overwrites another file of that name", function()
        local path = koreader.books .. "/Volume 5.epub"
        require("util").writeToFile("mine", path)
        require("bookwake_download_screen").books(T.plugin(), { book(5) })
        T.wait(1)
        assert.equal("mine", read("Volume 5.epub"))
        assert.equal(contents[5], read("Volume 5 (2).epub"))
        -- The same bytes that are there are taken for the book.
        core.matched = {}
        os.remove(path)
        require("util").writeToFile(contents[5], path)
        require("bookwake_download_screen").books(T.plugin(), { book(5) })
        T.wait(1)
        assert.equal("exact", core.matched[path].how)
    end)

    it("shows progress of a large file, and can be stopped between two", function()
        local fetch = core.server.fetch
        core.server.fetch = function(_self, request)
            core.fetching = request
        end
        require("bookwake_download_screen").books(T.plugin(), { book(1), book(2) })
        T.wait(0.1)
        assert.equal("Downloading 1 of 2 — Volume 1", screen.texts())
        T.wait(2)
        core.fetching.on_progress(1500000)
        assert.truthy(screen.texts():find("1.5 MB of ", 1, true))
        screen.dismiss()
        screen.press("Stop")
        fetch(core.server, core.fetching)
        T.wait(1)
        assert.equal("One book was downloaded.\nThe rest was not tried.", screen.texts())
        core.server.fetch = fetch
    end)

    it("takes the folder and the names that were chosen", function()
        local chosen = koreader.made .. "/elsewhere"
        lfs.mkdir(chosen)
        screen.choose("Bookwake", "Settings", "Downloads", "Folder: home folder")
        screen.window().path = chosen
        screen.press("Choose")
        screen.choose("Bookwake", "Settings", "Downloads", "Folders and names", "By a template of your own")
        screen.choose(
            "Bookwake",
            "Settings",
            "Downloads",
            "Folders and names",
            "Template: {author}/{series} {volume:00} - {title}"
        )
        screen.type("{titel}")
        screen.press("Save")
        assert.equal("There is no part {titel}.", screen.texts())
        screen.dismiss()
        screen.type("{author}/{volume:00} {title}")
        screen.press("Preview")
        local two = "Ada Testwright/02 The Lantern Keeper.epub\n\nAda Testwright/The Lantern Keeper.epub"
        assert.equal(two, screen.texts())
        screen.dismiss()
        screen.press("Save")
        require("bookwake_download_screen").books(T.plugin(), { book(1, "Tales") })
        T.wait(1)
        assert.equal(contents[1], require("util").readFromFile(chosen .. "/Ada/01 Volume 1.epub"))
        screen.dismiss_all()
        screen.choose("Bookwake", "Settings", "Downloads", "Folders and names", "All in one folder")
        require("bookwake_download_screen").books(T.plugin(), { book(2, "Tales") })
        T.wait(1)
        assert.equal(contents[2], require("util").readFromFile(chosen .. "/Tales — Vol. 2 — Volume 2.epub"))
    end)

    it("falls back to KOReader's other folders", function()
        local Download = require("bookwake_download")
        local settings = require("bookwake_settings").open()
        assert.equal(koreader.books, Download.folder(settings))
        G_reader_settings:saveSetting("home_dir", "/nowhere")
        G_reader_settings:saveSetting("lastdir", koreader.made)
        assert.equal(koreader.made, Download.folder(settings))
    end)
end)
