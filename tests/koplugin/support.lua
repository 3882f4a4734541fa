--- What specs share: the module path, a folder of their own, durable files, JSON, a digest and chance with a seed.
local ffi = require("ffi")
local lfs = require("lfs")

local support = {}

local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
local code = here .. "/../../koplugin/bookwake.koplugin/bookwake"
package.path = table.concat({
    code .. "/?.lua",
    here .. "/?.lua",
    here .. "/../simulators/koreader/?.lua",
    package.path,
}, ";")
support.here, support.code = here, code

ffi.cdef([[
int fsync(int fd); int fileno(void *stream); int open(const char *path, int flags); int close(int fd);
unsigned char *MD5(const unsigned char *data, size_t count, unsigned char *result);
int getpid(void); int kill(int pid, int signal); int fork(void); int waitpid(int pid, int *status, int options);
]])

--- KOReader's `ffi/util`, as far as files go.
support.ffiutil = {
    fsyncOpenedFile = function(handle)
        handle:flush()
        return ffi.C.fsync(ffi.C.fileno(handle)) == 0
    end,
    fsyncDirectory = function(path)
        local fd = ffi.C.open(path:match("^(.+)/[^/]+$") or ".", 0)
        local done = fd >= 0 and ffi.C.fsync(fd) == 0
        if fd >= 0 then
            ffi.C.close(fd)
        end
        return done
    end,
}

local crypto
for _, name in ipairs({ "crypto", "libcrypto.so.3", "libcrypto.so.1.1" }) do
    local ok, library = pcall(ffi.load, name)
    if ok then
        crypto = library
        break
    end
end

--- MD5 in hex.
function support.md5(bytes)
    local result = ffi.new("unsigned char[16]")
    crypto.MD5(bytes, #bytes, result)
    return (ffi.string(result, 16):gsub(".", function(byte)
        return string.format("%02x", byte:byte())
    end))
end

function support.random_bytes(count)
    local handle = assert(io.open("/dev/urandom", "rb"))
    local bytes = handle:read(count)
    handle:close()
    return bytes
end

--- A folder that is removed by `support.clean`.
function support.folder()
    local path = os.tmpname()
    os.remove(path)
    assert(lfs.mkdir(path))
    support.made = support.made or {}
    table.insert(support.made, path)
    return path
end

function support.clean()
    local remove = require("remove")
    for _, path in ipairs(support.made or {}) do
        remove(path)
    end
    support.made = {}
end

function support.files()
    return require("bookwake_files").new(lfs, support.ffiutil)
end

function support.json()
    return require("bookwake_json").new(require("cjson"))
end

function support.store(root)
    return require("bookwake_store").new({ root = root, files = support.files(), json = support.json() })
end

--- A device that is paired, with its store.
function support.device(root)
    local store = support.store(root)
    local device = require("bookwake_device").open({
        store = store,
        secrets = store,
        random = support.random_bytes,
    })
    if not device:is_paired() then
        device:pair("http://127.0.0.1:1", { token = "t", device = { id = "7", name = "Reader" }, person = "Ada" })
    end
    return device, store
end

--- Numbers that are the same each time: `chance(n)` is 1 to n.
function support.chance(seed)
    local state = seed * 2654435761 % 4294967296 + 1
    return function(n)
        state = (1103515245 * state + 12345) % 2147483648
        return math.floor(state / 65536) % n + 1
    end
end

--- Runs `task` in a process of its own, and kills that: in one round of four at any moment, in the others after `done()`,
-- a number, has changed, on however busy a machine.
function support.kill_while(task, round, chance, done)
    local before, pid = done(), ffi.C.fork()
    if pid == 0 then
        task()
    end
    local sleep = require("socket").sleep
    for _ = 1, round % 4 == 0 and 0 or 1000 do
        if done() ~= before then
            break
        end
        sleep(0.01)
    end
    sleep((20 + chance(50)) / 1000)
    ffi.C.kill(pid, 9)
    ffi.C.waitpid(pid, nil, 0)
end

--- A text of what breaks programs: quotes, line feeds, marks, several scripts, and with `raw` bytes that are no UTF-8.
function support.any_text(chance, raw)
    local parts = {
        "a", "word ", " ", "  ", "\n", "\t", '"', "\\", "'", "]]", "é", "—", "“", "日本", "\194\173", "\194\160", "🙂",
        "e\204\129", "</p>", "%d", "null", "0", "-",
    }
    if raw then
        for _, one in ipairs({ "\0", "\255", "\192\128", "\237\160\128", "\226\128", "\200" }) do
            parts[#parts + 1] = one
        end
    end
    local result = {}
    for _ = 1, chance(12) - 1 do
        result[#result + 1] = parts[chance(#parts)]
    end
    return table.concat(result)
end

return support
