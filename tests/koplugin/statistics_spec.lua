-- Reading history: every row that KOReader counted reaches the server, whatever happened to its database.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path

local fake_core = require("fake_core")
local koreader = require("koreader")

local SCHEMA = [[
    PRAGMA user_version = 20221111;
    CREATE TABLE book (id integer PRIMARY KEY autoincrement, title text, authors text, notes integer, last_open integer,
        highlights integer, pages integer, series text, language text, md5 text, total_read_time integer,
        total_read_pages integer);
    CREATE UNIQUE INDEX book_title_authors_md5 ON book(title, authors, md5);
    CREATE TABLE page_stat_data (id_book integer, page integer NOT NULL DEFAULT 0,
        start_time integer NOT NULL DEFAULT 0,
        duration integer NOT NULL DEFAULT 0, total_pages integer NOT NULL DEFAULT 0, UNIQUE (id_book, page, start_time),
        FOREIGN KEY(id_book) REFERENCES book(id));
    CREATE INDEX page_stat_data_start_time ON page_stat_data(start_time);
    CREATE TABLE numbers (number INTEGER PRIMARY KEY);
    CREATE VIEW page_stat AS
        SELECT id_book, first_page + idx - 1 AS page, start_time, duration / (last_page - first_page + 1) AS duration
        FROM (SELECT id_book, page, total_pages, pages, start_time, duration,
                ((page - 1) * pages) / total_pages + 1 AS first_page,
                max(((page - 1) * pages) / total_pages + 1, (page * pages) / total_pages) AS last_page, idx
            FROM page_stat_data JOIN book ON book.id = id_book
            JOIN (SELECT number as idx FROM numbers) AS N ON idx <= (last_page - first_page + 1));
    INSERT INTO numbers WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000) SELECT x FROM n;
]]

describe("Reading history", function()
    local T, screen, core, db, path, server, now

    before_each(function()
        core = fake_core.install()
        T, screen = koreader.start({ clock = 1795000000 })
        fake_core.paired(core)
        core.store = {
            read = function(_, name)
                return core.kept and core.kept[name] and require("cjson").decode(core.kept[name])
            end,
            write = function(_, name, value)
                core.kept = core.kept or {}
                core.kept[name] = require("cjson").encode(value)
                return true
            end,
        }
        path = require("bookwake_history").path()
        db = require("lua-ljsqlite3/init").open(path)
        db:exec(SCHEMA)
        for book = 1, 3 do
            db:exec(
                ("INSERT INTO book (id, title, authors, pages, md5) VALUES (%d, 'Book %d', 'N/A', 100, '%s')"):format(
                    book,
                    book,
                    ("%x"):format(book):rep(32)
                )
            )
        end
        now = os.time()
        server = { rows = {}, count = 0, seconds = 0, requests = 0, largest = 0 }
        core.answers.statistics = function(body)
            server.requests = server.requests + 1
            server.largest = math.max(server.largest, #body.rows)
            local new, duplicate = 0, 0
            for _, row in ipairs(body.rows) do
                local book = assert(body.books[row[1] + 1])
                local key = table.concat({ book.file, row[2], row[3] }, " ")
                if server.rows[key] then
                    duplicate = duplicate + 1
                else
                    new = new + 1
                    server.count, server.seconds = server.count + 1, server.seconds + row[4]
                    server.rows[key] = true
                end
            end
            return { new = new, duplicate = duplicate, refused = 0, doubted = 0 }
        end
    end)

    after_each(function()
        db:close()
        assert.same({}, T.failures())
        koreader.stop()
    end)

    --- So many visits, one each minute, ending at `last`.
    local function read(count, last, book)
        db:exec(([[
            INSERT OR IGNORE INTO page_stat_data
            WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < %d)
            SELECT %s, x %% 100 + 1, %d - x * 60, 5 + x %% 115, 100 FROM n ORDER BY x DESC]]):format(
            count - 1,
            book or "x % 3 + 1",
            last or now
        ))
    end

    local function send()
        local result
        require("bookwake_history").send(core, {
            on_done = function(done)
                result = done
            end,
        })
        T.waitfor(function()
            return result
        end, 6000)
        return result
    end

    local function counted()
        local rows, seconds = db:rowexec("SELECT COUNT(*), SUM(duration) FROM page_stat_data")
        return tonumber(rows), tonumber(seconds)
    end

    local function assert_all()
        local rows, seconds = counted()
        assert.equal(rows, server.count)
        assert.equal(seconds, server.seconds)
    end

    it("sends everything once, in pages, and then only what is new", function()
        read(25000)
        local result = send()
        assert.equal(25000, result.new)
        assert.equal(25000, result.sent)
        assert.equal(1000, server.largest)
        assert_all()
        local requests = server.requests
        assert.equal(0, send().sent)
        assert.equal(requests, server.requests)
        read(7, now + 3600)
        assert.equal(7, send().sent)
        assert_all()
    end)

    it("passes over a book that is left out, and sends it when it is synced again", function()
        read(12000)
        core.settings:leave_out(("2"):rep(32), "/books/2.epub")
        assert.equal(8000, send().new)
        read(30, now + 3600)
        assert.equal(20, send().new)
        assert.equal(0, send().sent)
        for key in pairs(server.rows) do
            assert.is_nil(key:find("^2222"))
        end
        local taken = core.settings:take_back(("2"):rep(32), "/books/2.epub")
        assert.same({ ("2"):rep(32) }, taken)
        require("bookwake_history").statistics(core):forget(taken[1])
        assert.equal(4010, send().new)
        assert_all()
    end)

    it("goes on where it was interrupted", function()
        read(12345)
        local answer = core.answers.statistics
        core.answers.statistics = function(body)
            if server.requests == 4 then
                return nil, { class = "transport" }
            end
            return answer(body)
        end
        local result = send()
        assert.equal("transport", result.error.class)
        assert.equal(4000, result.sent)
        core.answers.statistics = answer
        -- KOReader was killed between the answer and our note of it: one page goes twice, and is counted once.
        local kept = core.kept["statistics.json"]
        assert.equal(8345, send().sent)
        core.kept["statistics.json"] = kept
        assert.equal(8345, send().duplicate)
        assert_all()
    end)

    it("sends half of what was too much", function()
        read(3000)
        local answer = core.answers.statistics
        core.answers.statistics = function(body)
            if #body.rows > 300 then
                return nil, { class = "too-much", status = 413 }
            end
            return answer(body)
        end
        assert.equal(3000, send().sent)
        assert.equal(250, server.largest)
        assert_all()
    end)

    it("finds rows that KOReader's own merge brought in with old times", function()
        read(3000)
        send()
        read(500, now - 400 * 24 * 3600, 2)
        assert.equal(500, send().sent)
        assert_all()
    end)

    it("finds rows that took the numbers of deleted ones", function()
        read(3000)
        send()
        db:exec("DELETE FROM page_stat_data WHERE rowid > 2990")
        read(10, now + 1000, 3)
        local _, last = db:rowexec("SELECT COUNT(*), MAX(rowid) FROM page_stat_data")
        assert.equal(3000, tonumber(last))
        assert.equal(10, send().new)
    end)

    it("sends again what a repair renumbered, and nothing else", function()
        read(30000)
        send()
        -- Rows in the middle are gone, the rest was renumbered.
        db:exec("DELETE FROM page_stat_data WHERE rowid BETWEEN 12000 AND 12999")
        db:exec([[CREATE TABLE copy AS SELECT * FROM page_stat_data ORDER BY rowid; DELETE FROM page_stat_data;
            INSERT INTO page_stat_data SELECT * FROM copy; DROP TABLE copy]])
        read(5, now + 7200)
        local result = send()
        assert.equal(5, result.new)
        -- The first block is as it was.
        assert.is_true(result.sent <= 20000)
    end)

    it("looks at every block once a month, and finds what changed long ago", function()
        read(15000)
        send()
        -- A merge raised a duration in an old row: found with the next look at all.
        db:exec("UPDATE page_stat_data SET duration = 119 WHERE rowid = 5")
        assert.equal(0, send().sent)
        T.wait(31 * 24 * 3600)
        assert.equal(10000, send().sent)
    end)

    it("is not blinded by a clock that was years ahead", function()
        read(100)
        db:exec(("INSERT INTO page_stat_data VALUES (1, 1, %d, 30, 100)"):format(now + 900 * 24 * 3600))
        send()
        db:exec("DELETE FROM page_stat_data WHERE rowid = 101")
        read(1, now + 500, 2)
        assert.equal(1, send().new)
    end)

    it("leaves out rows of no file, and names a book that has two titles twice", function()
        db:exec([[INSERT INTO book (id, title, authors, pages, md5) VALUES (8, 'Lost', 'N/A', 10, NULL);
            INSERT INTO book (id, title, authors, pages, md5) VALUES (9, 'Book 1, new title', 'Ada', 10, ']]
            .. ("1"):rep(32)
            .. [[');
            INSERT INTO page_stat_data VALUES (8, 1, 1790000000, 30, 10), (9, 1, 1790000100, 30, 10),
                (1, 1, 1790000200, 30, 10), (77, 1, 1790000300, 30, 10)]])
        local result = send()
        assert.equal(2, result.sent)
        assert.equal(2, result.nameless)
        local body = core.asked[#core.asked].body
        assert.same({ "Book 1, new title", "Book 1" }, { body.books[1].title, body.books[2].title })
        assert.equal("Ada", body.books[1].authors)
        assert.is_nil(body.books[2].authors)
        assert.equal(0, send().sent)
    end)

    it("tells a person how far it is, and what came of it", function()
        read(2500)
        local shown = {}
        local UIManager = require("ui/uimanager")
        local show = UIManager.show
        UIManager.show = function(self, widget)
            table.insert(shown, widget.text)
            return show(self, widget)
        end
        screen.choose("Bookwake", "Reading history", "Send reading history now")
        T.wait(5)
        assert.same({
            "Reading KOReader's statistics…",
            "Sending reading history: 2500 of 2500",
            "2500 page visits were sent.",
        }, shown)
        screen.dismiss()
        screen.choose("Bookwake", "Reading history", "Send reading history now")
        T.wait(5)
        assert.equal("The server has your whole reading history.", screen.texts())
        screen.dismiss()
        core.answers.statistics = nil
        read(5, now + 7200)
        screen.choose("Bookwake", "Reading history", "Send reading history now")
        T.wait(5)
        assert.truthy(screen.texts():find("does not answer", 1, true))
        assert.truthy(screen.texts():find("It goes on from here the next time.", 1, true))
    end)

    describe("of other devices", function()
        local others

        before_each(function()
            read(300)
            screen.choose("Bookwake", "Reading history", "Add reading time of other devices")
            core.books.how = function(_, md5)
                return md5 ~= ("3"):rep(32) and "exact" or "none"
            end
            others = {}
            for i = 1, 1500 do
                others[i] = { i % 50 + 1, now - 10 * 24 * 3600 + i * 60, 30, 100 }
            end
            core.answers["statistics/others"] = function(body)
                if body.file ~= ("1"):rep(32) then
                    assert.equal(("2"):rep(32), body.file)
                    return { rows = {}, after = 0, more = false }
                end
                local from, rows = body.after or 0, {}
                for i = from + 1, math.min(from + body.limit, #others) do
                    table.insert(rows, others[i])
                end
                return { rows = rows, after = from + #rows, more = from + #rows < #others }
            end
        end)

        local function exchange()
            screen.choose("Bookwake", "Reading history", "Send reading history now")
            T.wait(10)
            local text = screen.texts()
            screen.dismiss()
            return text
        end

        it("comes into KOReader's database, once, and is not sent back", function()
            assert.truthy(exchange():find("1500 page visits came from other devices.", 1, true))
            assert.equal(1800, (counted()))
            local pages, seconds = db:rowexec("SELECT total_read_pages, total_read_time FROM book WHERE id = 1")
            assert.equal(100, tonumber(pages))
            local own = db:rowexec("SELECT SUM(duration) FROM page_stat_data WHERE id_book = 1")
            assert.equal(tonumber(own), tonumber(seconds))
            assert.equal(300, server.count)
            assert.equal("The server has your whole reading history.", exchange())
            assert.equal(1800, (counted()))
            assert.equal(300, server.count)
            -- The copy from before.
            local copy = require("lua-ljsqlite3/init").open(path .. ".bookwake", "ro")
            assert.equal(300, tonumber((copy:rowexec("SELECT COUNT(*) FROM page_stat_data"))))
            copy:close()
        end)

        it("stays out while a book is open, and of a schema that nobody knows", function()
            T.open(koreader.book("open.epub", { { "One", "Text." } }))
            exchange()
            assert.equal(300, (counted()))
            T.close()
            db:exec("PRAGMA user_version = 20991231")
            assert.truthy(exchange():find("keeps its statistics in another way", 1, true))
            assert.equal(300, (counted()))
        end)

        it("takes no nonsense", function()
            others = { { 0, now, 30, 100 }, { 5, now, -1, 100 }, { 5, now, 30, 4 }, { "x" }, { 5, now, 30, 100 } }
            exchange()
            assert.equal(301, (counted()))
        end)
    end)

    it("says that a database is damaged, and goes on with the rest of its life", function()
        db:close()
        require("util").writeToFile("this is no database, whatever its name says " .. ("x"):rep(4096), path)
        local result = send()
        assert.equal("database", result.error.class)
        os.remove(path)
        assert.equal(0, send().sent)
        db = require("lua-ljsqlite3/init").open(path)
    end)
end)
