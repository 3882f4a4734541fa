--- Asks the server, in the background.
--
-- The parent builds the request and understands the answer; the child between them only carries it.
local Protocol = require("bookwake_protocol")

local Server = {}
Server.__index = Server

local MOST = 1024 * 1024 -- bytes of an answer; it sends half of that
local SECONDS = 15

--- @param options `device`; `http`: bookwake_http; `background`; `json`; `files`; `clock`: seconds since 1970;
-- `is_connected`: a function; `agent`: name and version for the User-Agent
function Server.new(options)
    local self = setmetatable({}, Server)
    for name, value in pairs(options) do
        self[name] = value
    end
    return self
end

local function url_of(self, path, address)
    address = address or self.device.record.address
    return address and (address:gsub("/+$", "") .. Protocol.BASE .. path)
end

local function headers_of(self, ask)
    local headers = { ["User-Agent"] = self.agent }
    if ask.token ~= false and self.device:token() then
        headers["Authorization"] = "Bearer " .. self.device:token()
    end
    for name, value in pairs(ask.headers or {}) do
        headers[name] = value
    end
    return headers
end

-- What the child says to the parent: a line of JSON about the answer, then its body as it came.
local function carry(self, request)
    return function()
        local reply, why = self.http(request)
        if not reply then
            return self.json.encode({ why = why or "no answer" }) .. "\n"
        end
        local headers = {}
        for _, name in ipairs({ "retry-after", "content-length", "etag", "x-bookwake-file" }) do
            headers[name] = reply.headers[name]
        end
        return self.json.encode({ status = reply.status, headers = headers }) .. "\n" .. (reply.body or "")
    end
end

local function understand(self, text, why)
    if not text then
        return nil, { class = why == "fork" and "fork" or "transport", message = why }
    end
    local line, body = text:match("^([^\n]*)\n(.*)$")
    local about = line and self.json.decode(line)
    if not about or not about.status then
        return nil, { class = "transport", message = about and about.why or "no answer" }
    end
    return { status = about.status, headers = about.headers or {}, body = body }
end

-- @return the request for `http`, or nil after having refused it
local function prepare(self, ask)
    local url = url_of(self, ask.path, ask.address)
    if not url or (ask.token ~= false and not self.device:is_paired()) then
        ask.on_done(nil, { class = "unpaired" })
        return nil
    end
    if not self.is_connected() then
        ask.on_done(nil, { class = "offline" })
        return nil
    end
    return {
        url = url,
        method = ask.method or (ask.body and "POST" or "GET"),
        headers = headers_of(self, ask),
        certificate = self.device:certificate(),
        block = ask.block,
        total = ask.total or SECONDS,
        most = MOST,
    }
end

--- One request with JSON both ways.
-- @param ask `path`; `body`: a table (its `clock` is set) or an encoded text; `method`; `on_done(answer, err)`;
-- `address`, `token = false`: for a server that does not know us yet; `total`: seconds
-- @return a function that stops it
function Server:ask(ask)
    local request = prepare(self, ask)
    if not request then
        return function() end
    end
    if type(ask.body) == "table" then
        ask.body.clock = self.clock()
        local text, err = self.json.encode(ask.body)
        if not text then
            ask.on_done(nil, { class = "refused", message = err })
            return function() end
        end
        request.body = text
    else
        request.body = ask.body
    end
    -- Name look-up and connecting are outside the limit that the child itself can set.
    return self.background:run(carry(self, request), request.total + 10, function(text, why)
        local reply, err = understand(self, text, why)
        if not reply then
            return ask.on_done(nil, err)
        end
        return ask.on_done(Protocol.read(reply, self.json.decode))
    end)
end

--- Get a file. It is written to `to`, which must be on the same file system as where it is to end.
-- @param ask `path`, `to`, `headers`, `total`; `on_progress(bytes)`; `on_done(headers, err)`
function Server:fetch(ask)
    local request = prepare(self, ask)
    if not request then
        return function() end
    end
    request.to, request.most, request.total = ask.to, ask.most or 512 * 1024 * 1024, ask.total or 600
    request.block = 15
    local is_over = false
    local function report()
        if not is_over then
            local about = self.files.attributes(ask.to)
            ask.on_progress(about and about.size or 0)
            self.background.later(1, report)
        end
    end
    if ask.on_progress then
        self.background.later(1, report)
    end
    return self.background:run(carry(self, request), request.total + 10, function(text, why)
        is_over = true
        local reply, err = understand(self, text, why)
        if reply and reply.status ~= 200 and reply.status ~= 206 then
            reply.body = self.files.read(ask.to, 64 * 1024) or ""
            err = select(2, Protocol.read(reply, self.json.decode)) or { class = "foreign" }
        end
        if err then
            self.files.remove(ask.to)
            return ask.on_done(nil, err)
        end
        local expected = tonumber(reply.headers["content-length"])
        local about = self.files.attributes(ask.to)
        if not about or (expected and about.size ~= expected) then
            self.files.remove(ask.to)
            return ask.on_done(nil, { class = "transport", message = "incomplete" })
        end
        return ask.on_done(reply.headers)
    end)
end

--- Send a file as it is. @param ask `path`, `from`, `method`, `total`, `on_done(answer, err)`
function Server:send(ask)
    ask.method = ask.method or "PUT"
    local request = prepare(self, ask)
    if not request then
        return function() end
    end
    request.from, request.total, request.block = ask.from, ask.total or 120, 15
    return self.background:run(carry(self, request), request.total + 10, function(text, why)
        local reply, err = understand(self, text, why)
        if not reply then
            return ask.on_done(nil, err)
        end
        return ask.on_done(Protocol.read(reply, self.json.decode))
    end)
end

return Server
