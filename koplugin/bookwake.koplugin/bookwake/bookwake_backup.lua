--- Sends sidecars to the server as they are; a part that the server has is not sent twice, an unchanged one not at all.
local Sidecar = require("bookwake_sidecar")
local sha2 = require("ffi/sha2")

local Backup = {}

local STATE = "backups.json"
local PAUSE = 6 * 3600 -- seconds between two backups of a book that nobody asked for

local function read(path)
    local file = io.open(path, "rb")
    if not file then
        return nil
    end
    local bytes = file:read("*a")
    file:close()
    return bytes
end

--- The manifest of a book's sidecar (docs/plugin-protocol.md, Backups), and the paths of its parts by their digest.
-- Nil for a book without one.
function Backup.manifest(core, path)
    local parts, location = Sidecar.parts(path)
    local file = #parts > 0 and core.books:identify(path)
    if not file then
        return nil
    end
    local manifest = {
        file = file,
        title = Sidecar.title(path),
        taken_at = os.time(),
        location = location,
        book_path = path,
        koreader = require("version"):getCurrentRevision(),
        parts = {},
    }
    local paths, digests = {}, {}
    for __, part in ipairs(parts) do
        local bytes = read(part.path)
        if bytes then
            local digest = sha2.sha256(bytes)
            table.insert(manifest.parts, { name = part.name, size = #bytes, mtime = part.mtime, sha256 = digest })
            table.insert(digests, part.name .. " " .. digest)
            paths[digest] = part.path
        end
    end
    table.sort(digests)
    return manifest, paths, sha2.sha256(table.concat(digests, "\n"))
end

--- When the newest of its files was written; nil without a sidecar. Cheap: nothing is read.
local function changed_at(path)
    local newest
    for __, part in ipairs((Sidecar.parts(path))) do
        newest = math.max(newest or 0, part.mtime)
    end
    return newest
end

--- Backs up one book.
-- @param options `asked`: a person did; `on_done(how, err)`: "sent", "unchanged", "none" (no sidecar), "early"
function Backup.one(core, path, options)
    local state = core.store:read(STATE) or {}
    state.books = state.books or {}
    local known = state.books[path]
    local changed = changed_at(path)
    if not changed then
        return options.on_done("none")
    elseif known and known.changed == changed then
        return options.on_done("unchanged")
    elseif known and not options.asked and os.time() - (known.at or 0) < PAUSE and os.time() >= (known.at or 0) then
        return options.on_done("early")
    end
    local manifest, paths, whole = Backup.manifest(core, path)
    if not manifest then
        return options.on_done("none")
    end
    local function keep(how)
        -- Others may have been kept meanwhile.
        local now = core.store:read(STATE) or {}
        now.books = now.books or {}
        now.books[path] = { changed = changed, whole = whole, at = os.time() }
        core.store:write(STATE, now)
        return options.on_done(how)
    end
    if known and known.whole == whole then
        return keep("unchanged")
    end
    core.server:ask({
        path = "backups",
        body = manifest,
        on_done = function(answer, err)
            if not answer or type(answer.missing) ~= "table" then
                return options.on_done(nil, err or { class = "foreign" })
            end
            local function send(at)
                local digest = answer.missing[at]
                if not digest then
                    return keep("sent")
                elseif not paths[digest] then
                    return options.on_done(nil, { class = "foreign" })
                end
                core.server:send({
                    path = "backups/parts/" .. digest,
                    from = paths[digest],
                    on_done = function(done, problem)
                        if not done then
                            return options.on_done(nil, problem or { class = "foreign" })
                        end
                        return send(at + 1)
                    end,
                })
            end
            return send(1)
        end,
    })
end

-- After these every other book would fail, too.
local ENDS = { offline = true, transport = true, foreign = true, unpaired = true, fork = true, ["too-old"] = true }

--- Backs up many books, one after the other.
-- @param options `asked`; `on_progress(done, total, path)`; `on_done{sent, unchanged, failed, error}`
function Backup.all(core, paths, options)
    local result = { sent = 0, unchanged = 0, failed = 0 }
    local UIManager = require("ui/uimanager")
    local some_left_out = next(core.settings:get("left_out")) ~= nil -- digests take reads
    local function next_one(at)
        local path = paths[at]
        if not path then
            return options.on_done(result)
        elseif some_left_out and core.settings:is_left_out(core.books:identify(path)) then
            return UIManager:nextTick(next_one, at + 1)
        end
        if options.on_progress then
            options.on_progress(at, #paths, path)
        end
        Backup.one(core, path, {
            asked = options.asked,
            on_done = function(how, err)
                if how == "sent" then
                    result.sent = result.sent + 1
                elseif how then
                    result.unchanged = result.unchanged + 1
                else
                    result.failed = result.failed + 1
                    result.why = result.why or err
                    if ENDS[err.class] then
                        result.error = err
                        return options.on_done(result)
                    end
                end
                return UIManager:nextTick(next_one, at + 1)
            end,
        })
    end
    next_one(1)
end

return Backup
