-- Sidecars to the server and back, in each of the three places where KOReader keeps them.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path

local fake_core = require("fake_core")
local koreader = require("koreader")
local lfs = require("lfs")

local TEXT = { { "One", "The lantern keeper counted seven boats.", "Nobody knew who built the bridge." } }

describe("Backups", function()
    local T, screen, core, server

    local function start(options)
        options = options or {}
        core = fake_core.install()
        T, screen = koreader.start(options)
        G_reader_settings:saveSetting("home_dir", koreader.books)
        fake_core.paired(core)
        server = { parts = {}, backups = {}, uploads = 0 }
        core.answers.backups = function(body, request)
            if not body then
                local file = request.path:match("file=(%x+)")
                local list = {}
                for id = #server.backups, 1, -1 do
                    local backup = server.backups[id]
                    if backup.file == file then
                        table.insert(list, {
                            backup = id,
                            taken_at = backup.taken_at,
                            device = backup.device or "Libra",
                            here = backup.here ~= false,
                            size = 1234,
                            annotations = 2,
                        })
                    end
                end
                return { backups = list }
            end
            local missing = {}
            for _, part in ipairs(body.parts) do
                if not server.parts[part.sha256] then
                    table.insert(missing, part.sha256)
                end
            end
            table.insert(server.backups, body)
            return { backup = #server.backups, missing = missing }
        end
        local send = core.server.send
        core.server.send = function(self, request)
            local digest = request.path:match("backups/parts/(%x+)$")
            server.parts[digest] = require("util").readFromFile(request.from)
            assert.equal(digest, require("ffi/sha2").sha256(server.parts[digest]))
            server.uploads = server.uploads + 1
            core.answers[request.path] = { complete = true }
            return send(self, request)
        end
        core.answers["backups/*"] = function(_body, request)
            local backup = server.backups[tonumber(request.path:match("backups/(%d+)$"))]
            return { backup = 1, parts = backup.parts }
        end
        local fetch = core.server.fetch
        core.server.fetch = function(self, request)
            local id, name = request.path:match("^backups/(%d+)/parts/(.+)$")
            for _, part in ipairs(id and server.backups[tonumber(id)].parts or {}) do
                if part.name == name then
                    core.answers[request.path] = function()
                        return server.damaged or server.parts[part.sha256]
                    end
                end
            end
            return fetch(self, request)
        end
    end

    after_each(function()
        assert.same({}, T.failures())
        koreader.stop()
    end)

    local function read_a_book()
        local book = koreader.book("lantern.epub", TEXT)
        T.open(book)
        T.highlight({ text = "seven boats", note = "why seven?", color = "red" })
        T.highlight({ text = "the bridge" })
        T.set_state({ status = "complete", rating = 4, review = 'A "short"\nreview' })
        T.close()
        return book
    end

    local function sidecar(book)
        return assert(dofile(assert((require("docsettings"):findSidecarFile(book)))))
    end

    local function back_up()
        screen.choose("Bookwake", "Backups", "Back up all metadata now")
        T.wait(2)
        local text = screen.texts()
        screen.dismiss_all()
        return text
    end

    local function restore(book, line)
        screen.choose("Bookwake", "Backups", "Restore metadata of a book")
        screen.press(book:match("[^/]*$"))
        T.wait(1)
        local items = screen.window().item_table
        screen.press(items[line or 1].text)
        screen.press("Restore")
        T.wait(2)
        local text = screen.texts()
        screen.dismiss_all()
        return text
    end

    for _, location in ipairs({ "doc", "dir", "hash" }) do
        it("go up and come back where sidecars are kept in " .. location, function()
            start({ settings = { document_metadata_folder = location } })
            local book = read_a_book()
            local before = sidecar(book)
            assert.equal("One book was backed up.", back_up())
            local backup = server.backups[1]
            assert.equal(location, backup.location)
            assert.equal(require("util").partialMD5(book), backup.file)
            assert.equal("metadata.epub.lua", backup.parts[1].name)
            -- Something terrible happens.
            T.open(book)
            T.delete(1)
            T.delete(1)
            T.set_state({ status = "reading", rating = 1, review = "oops" })
            T.close()
            assert.equal(0, #sidecar(book).annotations)
            assert.equal("It was restored. What was there before is kept on this reader.\nOpen the book\nClose", restore(book)) -- luacheck: ignore 631
            assert.same(before, sidecar(book))
            T.open(book)
            assert.equal(2, #T.reader().annotation.annotations)
            assert.equal("why seven?", select(2, T.findannotation("seven boats")).note)
            -- What was there before is kept.
            local kept = koreader.made .. "/koreader/bookwake/backup"
            local count = 0
            for name in lfs.dir(kept) do
                count = count + (name:sub(1, 1) ~= "." and 1 or 0)
            end
            assert.equal(1, count)
        end)
    end

    it("send nothing again that the server has", function()
        start()
        local book = read_a_book()
        back_up()
        assert.equal(1, server.uploads)
        assert.equal("0 books were backed up.\nOne had not changed.", back_up())
        assert.equal(1, #server.backups)
        -- Touched, but the same: nothing goes up.
        local file = require("docsettings"):findSidecarFile(book)
        lfs.touch(file, os.time() + 100, os.time() + 100)
        back_up()
        assert.equal(1, #server.backups)
        -- A custom cover is another version; the metadata is not sent again.
        local cover = file:match("^.*/") .. "cover.png"
        require("util").writeToFile("\137PNG…", cover)
        lfs.touch(cover, os.time() + 200, os.time() + 200)
        back_up()
        assert.equal(2, #server.backups)
        assert.equal(2, server.uploads)
    end)

    it("are not made of a book that is left out", function()
        start()
        local book = read_a_book()
        core.settings:leave_out(require("util").partialMD5(book), book)
        assert.equal("0 books were backed up.", back_up())
        assert.equal(0, #server.backups)
    end)

    it("by themselves come at most every six hours for a book", function()
        start()
        local book = read_a_book()
        local how
        local function one()
            how = nil
            require("bookwake_backup").one(core, book, {
                on_done = function(done)
                    how = done
                end,
            })
            T.wait(1)
            return how
        end
        assert.equal("sent", one())
        T.open(book)
        T.setnote(1, "another")
        T.wait(100)
        T.close()
        lfs.touch(require("docsettings"):findSidecarFile(book), os.time(), os.time())
        assert.equal("early", one())
        T.wait(7 * 3600)
        assert.equal("sent", one())
        assert.equal("none", (function()
            require("bookwake_backup").one(core, koreader.made .. "/books/never opened.epub", {
                on_done = function(done)
                    how = done
                end,
            })
            return how
        end)())
    end)

    it("do not mix two formats of one title", function()
        start()
        read_a_book()
        local other = koreader.book("lantern.mobi", TEXT)
        T.open(other)
        T.close()
        back_up()
        assert.equal(2, #server.backups)
        for _, backup in ipairs(server.backups) do
            assert.equal(1, #backup.parts)
        end
    end)

    it("of another device add what is missing and take nothing away", function()
        start()
        local book = read_a_book()
        back_up()
        T.open(book)
        T.delete(1)
        T.highlight({ text = "The lantern" })
        T.set_state({ status = "reading", rating = 2 })
        T.close()
        local mine = sidecar(book)
        server.backups[1].here = false
        screen.choose("Bookwake", "Backups", "Restore metadata of a book")
        screen.press("lantern.epub")
        T.wait(1)
        screen.press(screen.window().item_table[1].text)
        assert.truthy(screen.texts():find("Nothing is taken away.", 1, true))
        screen.press("Restore")
        T.wait(2)
        screen.dismiss_all()
        local now = sidecar(book)
        assert.equal(3, #now.annotations)
        assert.equal("reading", now.summary.status)
        assert.equal(2, now.summary.rating)
        assert.equal(mine.last_xpointer, now.last_xpointer)
        assert.is_true(now.annotations_externally_modified)
        T.open(book)
        assert.equal(3, #T.reader().annotation.annotations)
        assert.equal("The lantern", T.reader().annotation.annotations[1].text)
    end)

    it("of another device give a book that was never opened here its place, with the tree it is in", function()
        start()
        local Restore = require("bookwake_restore")
        local theirs = { last_xpointer = "/body/x", percent_finished = 0.5, cre_dom_version = 20240114, font_face = "X" } -- luacheck: ignore 631
        assert.same({
            last_xpointer = "/body/x",
            percent_finished = 0.5,
            cre_dom_version = 20240114,
        }, Restore.merge({}, theirs))
        assert.same({ cre_dom_version = 20260812 }, Restore.merge({ cre_dom_version = 20260812 }, theirs))
        theirs.cre_dom_version = nil
        assert.same({}, Restore.merge({}, theirs))
        -- Positions of the other kind stay out.
        local paged = { annotations = { { page = 4, text = "x" } } }
        assert.same(
            { annotations = { { page = "/body/y" } } },
            Restore.merge({ annotations = { { page = "/body/y" } } }, paged)
        )
    end)

    it("never run what comes, and never write what KOReader could not read", function()
        start()
        local book = read_a_book()
        back_up()
        local before = sidecar(book)
        local evil = "return { a = os.execute('touch " .. koreader.made .. "/owned') }"
        local digest = require("ffi/sha2").sha256(evil)
        server.parts[digest] = evil
        server.backups[1].parts[1].sha256 = digest
        assert.truthy(restore(book):find("something that is no data", 1, true))
        assert.same(before, sidecar(book))
        assert.is_nil(lfs.attributes(koreader.made .. "/owned"))
        server.damaged = "something else"
        assert.equal("What came is not what was backed up.", restore(book))
        server.damaged = nil
        server.backups[1].parts[1].name = "../../settings.reader.lua"
        assert.equal("A part of it has a name that cannot be.", restore(book))
        assert.same(before, sidecar(book))
    end)

    it("close the book before they write, so that KOReader does not write over them", function()
        start()
        local book = read_a_book()
        local before = sidecar(book)
        back_up()
        T.open(book)
        T.setnote(1, "to be forgotten")
        screen.choose("Bookwake", "Backups", "Restore metadata of a book")
        T.wait(1)
        screen.press(screen.window().item_table[1].text)
        screen.press("Restore")
        T.wait(3)
        assert.is_nil(T.reader())
        assert.same(before.annotations, sidecar(book).annotations)
        screen.press("Open the book")
        T.wait(2)
        local index = T.findannotation("seven boats")
        assert.equal("why seven?", T.reader().annotation.annotations[index].note)
    end)

    it("refuse to write below an open book, whoever asks", function()
        start()
        local book = read_a_book()
        back_up()
        T.open(book)
        local problem
        require("bookwake_restore").run(core, book, { backup = 1, here = true }, function(_kept, err)
            problem = err
        end)
        assert.equal("Close the book first.", problem.message)
    end)

    it("stop at the first book when the server is gone", function()
        start()
        read_a_book()
        koreader.book("other.epub", TEXT)
        T.open(koreader.books .. "/other.epub")
        T.close()
        core.answers.backups = nil
        assert.truthy(back_up():find("0 books were backed up", 1, true))
        local asked = 0
        for _, request in ipairs(core.asked) do
            asked = asked + (request.path == "backups" and 1 or 0)
        end
        assert.equal(1, asked)
    end)

    it("find the books that were opened here, wherever KOReader keeps what it knows", function()
        start({ settings = { document_metadata_folder = "hash" } })
        local books = {}
        for number, location in ipairs({ "doc", "dir", "hash" }) do
            G_reader_settings:saveSetting("document_metadata_folder", location)
            local book = koreader.book("b" .. number .. ".epub", TEXT)
            T.open(book)
            T.close()
            books[number] = book
        end
        require("readhistory").hist = {}
        local found = require("bookwake_sidecar").opened_books()
        table.sort(found)
        assert.same(books, found)
        os.remove(books[2])
        assert.equal(2, #require("bookwake_sidecar").opened_books())
    end)
end)
