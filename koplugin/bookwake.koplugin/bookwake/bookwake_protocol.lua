--- Requests and answers of docs/plugin-protocol.md, as values: what is sent, and whether what came is an answer to it.
--
-- Anything that is not plainly an answer of Bookwake counts as no answer at all: a captive portal, another server, a
-- proxy's page. It never means "there is nothing", and nothing is taken out of the outbox for it.
local Protocol = {}

Protocol.BASE = "/api/koplugin/v1/"
Protocol.OPERATIONS = 200 -- in one request
Protocol.PULLS = 20
Protocol.BYTES = 480 * 1024 -- of a request; a single operation may be larger

local OUTCOMES = {
    current = true, history = true, suggestion = true, echo = true, duplicate = true, rejected = true, unmatched = true,
}

local function is_text(value)
    return type(value) == "string" and value ~= ""
end

--- What an HTTP answer means.
-- @param reply `{status, headers, body}`, or nil when there was none
-- @param decode a function of a text that returns a table or nil
-- @return the table that was answered; or nil and `{class, status, code, message, retry_after, minimum}`
function Protocol.read(reply, decode)
    if not reply then
        return nil, { class = "transport" }
    end
    local status = reply.status
    local answer = reply.body and decode(reply.body)
    local err = { status = status, code = answer and answer.error, message = answer and answer.message }
    if not is_text(err.code) then
        err.code, err.message = nil, nil
    end
    if status >= 200 and status < 300 then
        if answer then
            return answer
        end
        err.class = "foreign"
    elseif status == 413 then
        err.class = "too-much"
    elseif status == 429 or status == 502 or status == 503 or status == 504 then
        err.class = "later"
        err.retry_after = tonumber(reply.headers and reply.headers["retry-after"])
    elseif not err.code then
        err.class = status >= 500 and "failed" or "foreign"
    elseif status == 401 then
        err.class = "unpaired"
    elseif status == 426 then
        err.class = "too-old"
        err.minimum = answer.minimum
    elseif status >= 500 then
        err.class = "failed"
    else
        err.class = "refused"
    end
    return nil, err
end

--- An operation as it goes on the wire.
function Protocol.operation(operation)
    local wire = {}
    for name, value in pairs(operation.body) do
        wire[name] = value
    end
    wire.id, wire.kind, wire.file, wire.at = operation.id, operation.kind, operation.file, operation.at
    return wire
end

--- The body of `sync`, as much of the operations as fits.
-- @param operations to send, in order; @param pulls digests of files
-- @param encode a function of a table; @param most at most so many operations
-- @return text, the operations that are in it
function Protocol.sync(operations, pulls, encode, most, extra)
    local sent, parts, size = {}, {}, 0
    for _, operation in ipairs(operations) do
        local text = encode(Protocol.operation(operation))
        if #sent >= math.min(most or Protocol.OPERATIONS, Protocol.OPERATIONS) then
            break
        end
        if #sent > 0 and size + #text > Protocol.BYTES then
            break
        end
        size = size + #text
        sent[#sent + 1], parts[#parts + 1] = operation, text
    end
    local pull = {}
    for index, file in ipairs(pulls or {}) do
        if index <= Protocol.PULLS then
            pull[index] = { file = file }
        end
    end
    local rest = { clock = extra.clock, since = extra.since, ["until"] = extra["until"], pull = pull }
    if #pull == 0 then
        rest.pull = nil
    end
    local text = encode(rest)
    -- The operations stand as encoded, so that each is encoded once.
    return text:sub(1, -2) .. ',"operations":[' .. table.concat(parts, ",") .. "]}", sent
end

--- Whether an answer to `sync` is one: each operation answered in order, each pull too.
-- @return nil, or what is wrong with it
function Protocol.check(answer, sent, pulls)
    local answers, pulled = answer.answers, answer.pulled
    if type(answers) ~= "table" or #answers ~= #sent then
        return "answers are missing"
    end
    for index, operation in ipairs(sent) do
        local one = answers[index]
        if type(one) ~= "table" or one.id ~= operation.id or not OUTCOMES[one.outcome] then
            return "an answer does not fit"
        end
    end
    if pulls and #pulls > 0 then
        if type(pulled) ~= "table" or #pulled ~= math.min(#pulls, Protocol.PULLS) then
            return "pulls are missing"
        end
        for index, one in ipairs(pulled) do
            if type(one) ~= "table" or one.file ~= pulls[index] then
                return "a pull does not fit"
            end
        end
    end
    return nil
end

local function whole(value)
    return type(value) == "number" and value == math.floor(value)
end

--- What the server asks to be done with one annotation, without what we could not use; nil if it makes no sense.
function Protocol.instruction(given)
    if type(given) ~= "table" or not is_text(given.name) or not whole(given.version) then
        return nil
    end
    if given["do"] == "remove" then
        return given
    end
    if given["do"] ~= "give" and given["do"] ~= "change" then
        return nil
    end
    local is_bookmark = given.type == "bookmark"
    if not is_text(given.pos0) or not (is_bookmark or (given.type == "highlight" and is_text(given.pos1))) then
        return nil
    end
    for _, name in ipairs({ "text", "before", "after", "note", "colour", "style", "chapter" }) do
        if given[name] ~= nil and type(given[name]) ~= "string" then
            given[name] = nil
        end
    end
    for _, name in ipairs({ "created_at", "changed_at" }) do
        if type(given[name]) ~= "number" then
            given[name] = nil
        end
    end
    return given
end

--- A place that was pulled, or nil if it makes no sense.
function Protocol.place(given)
    if type(given) ~= "table" or not whole(given.version) or type(given.percent) ~= "number" then
        return nil
    end
    if given.percent < 0 or given.percent > 1 then
        return nil
    end
    for _, name in ipairs({ "locator", "status", "reason", "device", "chapter", "text" }) do
        if given[name] ~= nil and type(given[name]) ~= "string" then
            given[name] = nil
        end
    end
    given.at = type(given.at) == "number" and given.at or nil
    given.here = given.here == true
    return given
end

return Protocol
