--- For specs of the plugin with all its parts: a server of a few lines in the place of the network.
--
-- It speaks docs/plugin-protocol.md and remembers like the real one what it was told; the real one decides far more
-- (tests/koplugin/test_sync.py runs against that).
local fake_server = {}

--- Takes the place of what `bookwake_core` makes of `bookwake_server`, for the next start of KOReader.
-- Fields that specs set: `books` (ids by file), `offers` (instructions by file), `places`, `states`, `reply` (a function of path and body that
-- answers instead), `is_down`. What it knows: `annotations` by name, `operations` taken, `requests`, `reports`.
function fake_server.install()
    local server = {
        offers = {},
        places = {},
        states = {},
        annotations = {},
        operations = {},
        requests = {},
        how = "exact",
        seen = {},
        books = {},
        library = "L1",
        version = 100,
    }

    local function book_of(file)
        return { id = server.books[file] or "b-" .. file }
    end

    local take = {}

    function take.annotations(operation)
        local answers = {}
        for _, one in ipairs(operation.changed or {}) do
            server.version = server.version + 1
            server.annotations[one.name] = one
            table.insert(answers, { name = one.name, outcome = "current", reason = "changed", version = server.version })
        end
        for _, one in ipairs(operation.deleted or {}) do
            server.annotations[one.name] = nil
            table.insert(answers, { name = one.name, outcome = "current", reason = "deleted", version = server.version })
        end
        return { annotations = answers }
    end

    function take.followed(operation)
        local waiting = server.offers[operation.file] or {}
        for _, one in ipairs(operation.followed) do
            for index, offer in ipairs(waiting) do
                if offer.name == one.name and offer.version == one.version then
                    table.remove(waiting, index)
                    break
                end
            end
        end
        return {}
    end

    function take.progress()
        server.version = server.version + 1
        return { version = server.version }
    end

    take.state = take.progress

    function take.session()
        return {}
    end

    local routes = {}

    function routes.hello()
        return {
            server = "bookwake",
            version = "1.0.0",
            protocol = 1,
            library = server.library,
            device = { id = 7, name = "Reader" },
            limits = { operations = 200 },
        }
    end

    function routes.match(body)
        local matches = {}
        for index, file in ipairs(body.files) do
            local how = server.how
            matches[index] = { file = file.file, how = how, book = how ~= "none" and book_of(file.file) or nil }
        end
        return { library = server.library, matches = matches }
    end

    function routes.sync(body)
        local answers, pulled = {}, {}
        for index, operation in ipairs(body.operations) do
            local answer = { outcome = "current", reason = "ok" }
            if server.how == "none" then
                answer.outcome = "unmatched"
            elseif server.seen[operation.id] then
                answer.outcome = "duplicate"
            else
                server.seen[operation.id] = true
                table.insert(server.operations, operation)
                for key, value in pairs(take[operation.kind](operation)) do
                    answer[key] = value
                end
            end
            answer.id = operation.id
            answers[index] = answer
        end
        for index, pull in ipairs(body.pull or {}) do
            pulled[index] = {
                file = pull.file,
                how = server.how,
                book = book_of(pull.file),
                progress = server.places[pull.file],
                state = server.states[pull.file],
                annotations = server.offers[pull.file] or {},
            }
        end
        return {
            answers = answers,
            pulled = pulled,
            changed = { books = server.changed or {}, cursor = 1, more = false, ["until"] = 1 },
        }
    end

    package.preload["bookwake_server"] = function()
        local Server = {}
        Server.__index = Server
        function Server.new(options)
            server.json, server.options = options.json, options
            return setmetatable(options, Server)
        end
        function Server:ask(ask)
            -- Through JSON, as on the wire.
            local body = type(ask.body) == "table" and self.json.encode(ask.body) or ask.body
            body = body and self.json.decode(body)
            table.insert(server.requests, { path = ask.path, body = body })
            local answer, err
            if not self.is_connected() then
                err = { class = "offline" }
            elseif server.is_down then
                err = { class = "transport" }
            elseif server.reply then
                answer, err = server.reply(ask.path, body)
            end
            if not answer and not err then
                local route = routes[ask.path]
                if route then
                    answer = route(body)
                else
                    err = { class = "refused", status = 404 } -- what other specs are about
                end
            end
            answer = answer and self.json.decode(self.json.encode(answer))
            require("ui/uimanager"):scheduleIn(server.delay or 0.2, function()
                ask.on_done(answer, err)
            end)
            return function() end
        end
        return Server
    end

    --- The operations of a kind that were taken, oldest first.
    function server.of(kind)
        local list = {}
        for _, operation in ipairs(server.operations) do
            if operation.kind == kind then
                list[#list + 1] = operation
            end
        end
        return list
    end

    function server.uninstall()
        package.preload["bookwake_server"] = nil
    end

    return server
end

return fake_server
