-- The menu and its pages, as a person sees and presses them.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path

local fake_core = require("fake_core")
local koreader = require("koreader")

describe("The menu", function()
    local T, screen, core, book

    before_each(function()
        core = fake_core.install()
        T, screen = koreader.start()
        book = koreader.book("lantern.epub", { { "One", ("The lantern keeper. "):rep(200) } })
        fake_core.paired(core)
    end)

    after_each(function()
        assert.same({}, T.failures())
        koreader.stop()
    end)

    it("stands behind calibre, once, in the file manager and in a book", function()
        assert.equal("calibre\nBookwake\nexporter\nstatistics\nmore_tools", screen.menu_text())
        T.open(book)
        assert.equal("calibre\nBookwake\nexporter\nstatistics\nmore_tools", screen.menu_text())
        T.close()
        assert.equal("calibre\nBookwake\nexporter\nstatistics\nmore_tools", screen.menu_text())
    end)

    it("offers only to connect as long as there is no server", function()
        core.device:forget()
        assert.equal("Connect to your server\nSettings\nAbout Bookwake", screen.menu_text("Bookwake"))
    end)

    it("shows in the file manager what there always is", function()
        assert.equal(
            table.concat({
                "Sync all books now",
                "Browse library",
                "Nothing waits to be sent",
                "Unknown files",
                "Match all books again",
                "Backups",
                "Reading history",
                "Test connection",
                "Settings",
                "Look for an update",
                "About Bookwake",
            }, "\n"),
            screen.menu_text("Bookwake")
        )
    end)

    it("shows in a book what is about this book first", function()
        T.open(book)
        local text = screen.menu_text("Bookwake")
        assert.equal(
            table.concat({
                "Sync this book now",
                "* Auto sync",
                "* Two-way highlights",
                "Sync after every 10 pages",
                "When another device is elsewhere",
                "(Undo last jump)",
                "Status of this book",
                "Do not sync this book",
                "(Series of this book)",
                "Sync all books now",
            }, "\n"),
            text:match("^(.*Sync all books now)")
        )
        core.shown.books[book] = { match = { how = "exact", book = { id = 3, title = "L", series = "Tales" } } }
        assert.truthy(screen.menu_text("Bookwake"):find("\nSeries of this book\n", 1, true))
        assert.equal("Download all\nDownload the rest", screen.menu_text("Bookwake", "Series of this book"))
    end)

    it("keeps what was chosen, also over a restart", function()
        T.open(book)
        screen.choose("Bookwake", "Auto sync")
        screen.choose("Bookwake", "When another device is elsewhere", "It is further back: Ask", "Stay here")
        screen.choose("Bookwake", "Sync after every 10 pages")
        local spin = screen.window()
        spin.value = 0
        screen.press("Set")
        assert.equal("Sync while reading: off", screen.menu("Bookwake")[4].text)
        local settings = require("bookwake_settings").open()
        assert.is_false(settings:get("auto_sync"))
        assert.equal("never", settings:get("older"))
        assert.equal("silently", settings:get("newer"))
        assert.equal(0, settings:get("every_pages"))
    end)

    it("takes the default for a setting that was damaged", function()
        local settings = require("bookwake_settings").open()
        settings.storage:saveSetting("newer", "sideways")
        settings.storage:saveSetting("every_pages", "many")
        assert.equal("silently", settings:get("newer"))
        assert.equal(10, settings:get("every_pages"))
        assert.has_error(function()
            settings:set("every_pages", "many")
        end)
        assert.has_error(function()
            settings:get("nothing")
        end)
    end)

    it("can be reached by gestures", function()
        local Dispatcher = require("dispatcher")
        local notes = require("ui/widget/notification").past
        Dispatcher:execute("bookwake_toggle_auto")
        assert.equal("Auto sync is off.", notes[#notes])
        Dispatcher:execute("bookwake_menu")
        assert.truthy(screen.texts():find("^Bookwake\nSync all books now"))
        screen.press("About Bookwake")
        assert.truthy(screen.texts():find("Person: Ada", 1, true))
        T.open(book)
        Dispatcher:execute("bookwake_sync_book")
        T.wait(1)
        assert.same({ "now", book, "person" }, core.sync.calls[#core.sync.calls])
    end)

    it("syncs this book and says in a line what happened", function()
        T.open(book)
        local notes = require("ui/widget/notification").past
        screen.choose("Bookwake", "Sync this book now")
        T.wait(1)
        assert.equal("This book is in step.", notes[#notes])
        core.results.now = { sent = 3, given = 1, unplaced = 2 }
        screen.choose("Bookwake", "Sync this book now")
        T.wait(1)
        assert.equal("In step: 3 sent, 1 received, 2 could not be placed.", notes[#notes])
        core.results.now = { error = { class = "foreign" } }
        screen.choose("Bookwake", "Sync this book now")
        T.wait(1)
        assert.truthy(screen.texts():find("is not Bookwake. In a guest network, sign in", 1, true))
    end)

    it("asks for the network only when a person wants something of it, and never for the internet", function()
        local network = require("ui/network/manager")
        T.offline()
        screen.menu("Bookwake")
        assert.equal(0, network.wifi_asked)
        screen.choose("Bookwake", "Sync all books now")
        assert.equal(1, network.wifi_asked)
        assert.equal(0, #core.sync.calls)
        T.online()
        T.wait(1)
        assert.same({ "all", false, 0 }, core.sync.calls[1])
        assert.is_nil(network.asked_online)
    end)

    it("syncs all books with progress and a page of what came of it", function()
        core.results.titles = { "The Lantern Keeper", "Alice" }
        core.results.all = { books = 2, sent = 5, given = 1, removed = 0, unmatched = 1 }
        local shown = {}
        local UIManager = require("ui/uimanager")
        local show = UIManager.show
        UIManager.show = function(self, widget)
            table.insert(shown, widget.text or widget.title)
            return show(self, widget)
        end
        screen.choose("Bookwake", "Sync all books now")
        T.wait(1)
        assert.same({
            "Syncing all books…",
            "Syncing book 2 of 2\nAlice",
            "All books are in step",
        }, shown)
        local text = screen.texts()
        assert.truthy(text:find("Sent: 5\nReceived: 1", 1, true))
        screen.press("Unknown files")
        assert.truthy(screen.texts():find("Every file that was opened here is known", 1, true))
    end)

    it("tells what stopped a sync of all, and what still waits", function()
        core.results.all = { error = { class = "transport" }, books = 1 }
        core.shown.pending = { total = 2, by_kind = { annotations = 1, progress = 1 }, oldest = os.time() - 7200 }
        screen.choose("Bookwake", "Sync all books now")
        T.wait(1)
        local text = screen.texts()
        assert.truthy(text:find("^Not all books are in step\nStopped: http://books.lan does not answer"))
        screen.press("Still waiting to be sent")
        assert.equal(
            "Waiting to be sent\nHighlights and notes: 1\nReading places: 1\nThe oldest is from: 2 hours ago",
            screen.texts()
        )
    end)

    it("goes on unseen when the progress is tapped away", function()
        core.results.titles = { "A", "B" }
        local all = core.sync.all
        core.sync.all = function(self, request)
            self.request = request
        end
        screen.choose("Bookwake", "Sync all books now")
        screen.dismiss()
        core.sync.request.on_progress(1, 2, "A")
        assert.is_nil(screen.window())
        core.sync.request.on_done({ books = 2 })
        assert.truthy(screen.texts():find("^All books are in step"))
        core.sync.all = all
    end)

    it("shows how it stands with this book, and why something was not placed", function()
        T.open(book)
        core.shown.books[book] = {
            file = ("a"):rep(32),
            match = {
                how = "linked",
                book = { id = 3, title = "The Lantern Keeper", series = "Tales", series_index = 2 },
            },
            last_sync = os.time() - 120,
            pending = 1,
            unplaced = { { name = "a", text = "seven boats", note = "why?", reason = "different-words" } },
            refused = { { kind = "state", reason = "too_old" } },
            held_deletions = 12,
        }
        screen.choose("Bookwake", "Status of this book")
        local text = screen.texts()
        assert.truthy(text:find("Book: The Lantern Keeper (Tales 2)", 1, true))
        assert.truthy(text:find("Matched: you said so", 1, true))
        assert.truthy(text:find("Last sync: 2 minutes ago", 1, true))
        assert.truthy(text:find("Another file: highlights and places only go up", 1, true))
        assert.truthy(text:find("Statuses and ratings: too old", 1, true))
        screen.press("Highlights not placed")
        assert.truthy(screen.texts():find("seven boats: there are other words at its place", 1, true))
        screen.press("seven boats")
        assert.truthy(screen.texts():find("seven boats\n\nwhy?", 1, true))
        screen.dismiss()
        screen.dismiss()
        screen.press("Deletions that wait for you")
        assert.truthy(screen.texts():find("12 highlights are gone from this book at once", 1, true))
        screen.press("Bring them back")
        assert.same({ "deletions", book, false }, core.sync.calls[#core.sync.calls])
        screen.press("Not this book?")
        screen.press("Search")
        core.answers["library/books"] = { items = { { id = 4, title = "Lanterns" } } }
        screen.press("Search")
        core.answers.link = function(body)
            return { match = { file = body.file, how = "linked", book = { id = body.book, title = "Lanterns" } } }
        end
        screen.press("Lanterns")
        assert.equal(4, core.matched[book].book.id)
    end)

    it("lists unknown files, and one tap says which book a file is", function()
        core.shown.unmatched = {
            {
                file = ("a"):rep(32),
                path = book,
                title = "Lantern",
                proposals = { { id = 3, title = "The Lantern Keeper", authors = { "Ada Testwright" } } },
            },
            { file = ("b"):rep(32), path = "/books/other.epub", title = "Other" },
        }
        assert.truthy(screen.menu_text("Bookwake"):find("Unknown files (2)", 1, true))
        screen.choose("Bookwake", "Unknown files (2)")
        assert.truthy(screen.texts():find("one proposal", 1, true))
        screen.press("Lantern")
        core.answers.link = function(body)
            assert.same({ file = ("a"):rep(32), book = 3 }, { file = body.file, book = body.book })
            table.remove(core.shown.unmatched, 1)
            return { match = { file = body.file, how = "linked", book = { id = 3, title = "The Lantern Keeper" } } }
        end
        screen.press("The Lantern Keeper – Ada Testwright")
        assert.equal("linked", core.matched[book].how)
        assert.is_nil(screen.texts():find("Lantern", 1, true))
        -- One without a proposal: by a search.
        screen.press("Other")
        screen.press("Search")
        screen.type("No such book")
        core.answers["library/books"] = { items = {} }
        screen.press("Search")
        assert.truthy(screen.texts():find("There is no book with “No such book” in your library.", 1, true))
    end)

    it("matches everything again", function()
        T.open(book)
        T.close()
        screen.choose("Bookwake", "Match all books again")
        T.wait(1)
        assert.same({ "all", true, 1 }, core.sync.calls[#core.sync.calls])
        assert.equal("All files are known to the server.", screen.texts())
    end)
end)
