--[[--
One life of KOReader with the plugin, which may end at any instruction: a person reads, marks, writes notes, deletes,
saves and syncs, by chance.

    life.lua BOOK PHRASES(JSON file) JOURNAL SEED ACTS [KILL_AT]

The journal has a line of JSON for each act *before* it is done, and one `{"do": "captured"}` after all of this life were
captured: what was done before such a line must not be lost any more. Prints how many instructions it took.
]]
local T = ...
local cjson = require("cjson")
local ffi = require("ffi")

local book, phrases_file, journal_file, seed, acts, kill_at = unpack(T.args)
local phrases = cjson.decode(require("util").readFromFile(phrases_file))
pcall(ffi.cdef, "int getpid(void); int kill(int pid, int signal);")

math.randomseed(tonumber(seed))
for _ = 1, 5 do
    math.random()
end

local journal = assert(io.open(journal_file, "ab"))
local function log(line)
    journal:write(cjson.encode(line), "\n")
    journal:flush()
end

local function plugin()
    return T.plugin("bookwake")
end

local function sync()
    local result
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
        log({ ["do"] = "make", phrase = phrases[number] })
        T.highlight({ text = phrases[number] })
    elseif choice <= 5 then
        local one = there[math.random(#there)]
        local note = "note " .. seed .. "-" .. n
        log({ ["do"] = "note", phrase = phrases[one.number], note = note })
        T.setnote(one.index, note)
    elseif choice == 6 then
        local one = there[math.random(#there)]
        log({ ["do"] = "delete", phrase = phrases[one.number] })
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
local count = 0
if kill_at then
    debug.sethook(function()
        ffi.C.kill(ffi.C.getpid(), 9)
    end, "", tonumber(kill_at))
else
    debug.sethook(function()
        count = count + 1
    end, "", 1000)
end

log({ ["do"] = "begin" })
T.open(book)
T.wait(3)
for n = 1, tonumber(acts) do
    act(n)
end
T.close()
log({ ["do"] = "captured" })
T.wait(5)
debug.sethook()
T.result({ instructions = count * 1000, pending = plugin().state:pending().total })
