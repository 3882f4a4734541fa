--[[--
One life of KOReader with the plugin, which may end at any instruction: a person reads, marks, writes notes, deletes,
saves and syncs, by chance.

    life.lua BOOK PHRASES(JSON file) JOURNAL SEED ACTS [KILL_AT] ["sync"]

The journal has a line of JSON for each act *before* it is done, and one `{"do": "captured"}` after all of this life were
captured: what was done before such a line must not be lost any more. Prints how many instructions it
took, and how many of them while it synced; with `sync` only those are counted until it is killed.
]]
local T = ...
local cjson = require("cjson")
local ffi = require("ffi")

local book, phrases_file, journal_file, seed, acts, kill_at, only_in_sync = unpack(T.args)
local phrases = cjson.decode(require("util").readFromFile(phrases_file))
pcall(ffi.cdef, "int getpid(void); int kill(int pid, int signal);")

-- The loop's time runs as it likes; the device's clock is right, so that what happens in one life is before the next.
require("standin").now = require("socket").gettime

math.randomseed(tonumber(seed))
for _ = 1, 5 do
    math.random()
end

-- Times are whole seconds: nobody marks again within one what he has deleted.
local deleted = {}
for line in io.lines(journal_file) do
    local act = cjson.decode(line)
    if act["do"] == "delete" and act.at then
        deleted[act.phrase] = act.at
    end
end

local journal = assert(io.open(journal_file, "ab"))
local function log(line)
    journal:write(cjson.encode(line), "\n")
    journal:flush()
end

local function plugin()
    return T.plugin("bookwake")
end

local is_syncing = false

local function sync()
    local result
    is_syncing = true
    plugin():capture()
    plugin().sync:now({
        file = plugin().file,
        reason = "person",
        on_done = function(done)
            result = done
        end,
    })
    T.waitfor(function()
        return result
    end, 120, "a sync")
    is_syncing = false
    return result
end

--- How far the person's own marks are, each a phrase of its own.
local function marked()
    local list = {}
    for index, item in ipairs(T.reader().annotation.annotations) do
        for number, phrase in ipairs(phrases) do
            if item.text == phrase then
                list[#list + 1] = { index = index, number = number }
            end
        end
    end
    return list
end

local function act(n)
    local choice, there = math.random(10), marked()
    if choice <= 3 or #there == 0 then
        local number = math.random(#phrases)
        for _, one in ipairs(there) do
            if one.number == number then
                return
            end
        end
        if os.time() - (deleted[phrases[number]] or 0) < 3 then
            return
        end
        log({ ["do"] = "make", phrase = phrases[number] })
        T.highlight({ text = phrases[number] })
    elseif choice <= 5 then
        local one = there[math.random(#there)]
        local note = "note " .. seed .. "-" .. n
        log({ ["do"] = "note", phrase = phrases[one.number], note = note })
        T.setnote(one.index, note)
    elseif choice == 6 then
        local one = there[math.random(#there)]
        deleted[phrases[one.number]] = os.time()
        log({ ["do"] = "delete", phrase = phrases[one.number], at = os.time() })
        T.delete(one.index)
    elseif choice == 7 then
        T.turn(math.random(3))
    elseif choice == 8 then
        require("ui/uimanager"):flushSettings()
    elseif choice == 9 then
        plugin():capture()
        log({ ["do"] = "captured" })
    else
        sync()
    end
end

-- Instructions are counted by the interpreter only.
jit.off()
jit.flush()
local STEP = 97
local count, in_sync = 0, 0
debug.sethook(function()
    count = count + STEP
    in_sync = is_syncing and in_sync + STEP or in_sync
    if kill_at and (only_in_sync and in_sync or count) >= tonumber(kill_at) then
        ffi.C.kill(ffi.C.getpid(), 9)
    end
end, "", STEP)

log({ ["do"] = "begin" })
T.open(book)
T.wait(3)
for n = 1, tonumber(acts) do
    act(n)
end
is_syncing = true
T.close()
log({ ["do"] = "captured" })
T.wait(5)
debug.sethook()
T.result({ instructions = count, in_sync = in_sync, pending = plugin().state:pending().total })
