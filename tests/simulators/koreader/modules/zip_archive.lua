-- Reads zip archives: central directory, stored and deflated entries (through zlib).
local ffi = require("ffi")

pcall(ffi.cdef, [[
typedef struct {
  const unsigned char *next_in; unsigned avail_in; unsigned long total_in;
  unsigned char *next_out; unsigned avail_out; unsigned long total_out;
  const char *msg; void *state; void *zalloc; void *zfree; void *opaque;
  int data_type; unsigned long adler; unsigned long reserved;
} standin_z_stream;
int inflateInit2_(standin_z_stream *stream, int window, const char *version, int size);
int inflate(standin_z_stream *stream, int flush);
int inflateEnd(standin_z_stream *stream);
]])
local zlib = ffi.load("libz.so.1")

local zip_archive = {}

local function number(data, at, bytes)
    local value = 0
    for i = bytes - 1, 0, -1 do
        value = value * 256 + data:byte(at + i)
    end
    return value
end

local function inflate(packed, size)
    local stream = ffi.new("standin_z_stream")
    local out = ffi.new("unsigned char[?]", math.max(size, 1))
    assert(zlib.inflateInit2_(stream, -15, "1.2.11", ffi.sizeof(stream)) == 0)
    stream.next_in, stream.avail_in = ffi.cast("const unsigned char *", packed), #packed
    stream.next_out, stream.avail_out = out, size
    local code = zlib.inflate(stream, 4)
    local made = tonumber(stream.total_out)
    zlib.inflateEnd(stream)
    if code ~= 1 or made ~= size then
        return nil, "damaged entry"
    end
    return ffi.string(out, size)
end

--- The entries of an archive, in order: `path`, `mode` ("file", "directory", "link"), `size`, and `read()`.
function zip_archive.entries(path)
    local file, err = io.open(path, "rb")
    if not file then
        return nil, err
    end
    local data = file:read("*a")
    file:close()
    local tail = data:find("PK\5\6", 1, true)
    if not tail or #data < tail + 21 then
        return nil, "no zip archive"
    end
    local entries, at = {}, number(data, tail + 16, 4) + 1
    for _ = 1, number(data, tail + 10, 2) do
        if data:sub(at, at + 3) ~= "PK\1\2" then
            return nil, "damaged directory"
        end
        local method, packed, size = number(data, at + 10, 2), number(data, at + 20, 4), number(data, at + 24, 4)
        local name, extra, comment = number(data, at + 28, 2), number(data, at + 30, 2), number(data, at + 32, 2)
        local kind = math.floor(number(data, at + 40, 2) / 4096)
        local start = number(data, at + 42, 4) + 1
        local entry = { path = data:sub(at + 46, at + 45 + name), size = size, index = #entries + 1 }
        entry.mode = entry.path:sub(-1) == "/" and "directory" or kind == 10 and "link" or "file"
        function entry.read()
            local from = start + 30 + number(data, start + 26, 2) + number(data, start + 28, 2)
            local bytes = data:sub(from, from + packed - 1)
            if #bytes < packed then
                return nil, "damaged entry"
            end
            return method == 0 and bytes or inflate(bytes, size)
        end
        table.insert(entries, entry)
        at = at + 46 + name + extra + comment
    end
    return entries
end

--- What `Device:unpackArchive` did until v2026.03: without any look at the names.
function zip_archive.unpack(path, directory)
    local entries, err = zip_archive.entries(path)
    if not entries then
        return false, err
    end
    for _, entry in ipairs(entries) do
        local target = directory .. "/" .. entry.path
        local util = require("util")
        if entry.mode == "directory" then
            util.makePath((target:gsub("/$", "")))
        else
            util.makePath((target:gsub("/[^/]*$", "")))
            local data, why = entry.read()
            if not data then
                return false, why
            end
            util.writeToFile(data, target)
        end
    end
    return true
end

return zip_archive
