-- Processes, pipes and files below KOReader: a real fork, so that nothing a child does reaches the parent's memory.
local ffi = require("ffi")
local lfs = require("lfs")

local C = ffi.C
pcall(ffi.cdef, [[
int pipe(int fd[2]);
int fork(void);
int getpid(void);
int kill(int pid, int signal);
int waitpid(int pid, int *status, int options);
int waitid(int kind, unsigned int pid, void *info, int options);
void _exit(int status);
int close(int fd);
int fileno(void *stream);
int fsync(int fd);
int open(const char *path, int flags, ...);
long read(int fd, void *buffer, size_t count);
long write(int fd, const void *buffer, size_t count);
int ioctl(int fd, unsigned long request, ...);
char *realpath(const char *path, char *resolved);
void free(void *pointer);
int usleep(unsigned int microseconds);
struct standin_pollfd { int fd; short events; short revents; };
int poll(struct standin_pollfd *fds, unsigned long count, int timeout);
]])

local util = { patience = 500 } -- milliseconds
local POLLIN, POLLHUP = 1, 16
local P_PID, WEXITED, WNOWAIT = 1, 4, 0x1000000

-- The child at the other end of each pipe.
local writers = {}

function util.runInSubProcess(task, with_pipe)
    local reading, writing
    if with_pipe then
        local ends = ffi.new("int[2]")
        if C.pipe(ends) ~= 0 then
            return false, "no pipe"
        end
        reading, writing = ends[0], ends[1]
    end
    io.stdout:flush()
    io.stderr:flush()
    local pid = C.fork()
    if pid == 0 then
        if reading then
            C.close(reading)
        end
        local ok, err = xpcall(function()
            task(C.getpid(), writing)
        end, debug.traceback)
        if not ok then
            io.stderr:write("error in subprocess: ", tostring(err), "\n")
            io.stderr:flush()
        end
        C._exit(0)
    end
    if writing then
        C.close(writing)
    end
    if pid < 0 then
        return false, "fork failed"
    end
    if reading then
        writers[reading] = pid
    end
    return pid, reading
end

function util.isSubProcessDone(pid, wait)
    local status = ffi.new("int[1]")
    local result = C.waitpid(pid, status, wait and 0 or 1)
    return result == pid or result == -1
end

function util.terminateSubProcess(pid)
    C.kill(pid, 9)
end

--- The loop's clock is not the child's: whoever looks gives it some real time first. A child that has hung up only has
-- to die and gets the time it needs: on a busy machine it would look alive for minutes of the loop's clock.
function util.getNonBlockingReadSize(fd)
    local has_hung_up = util.waitReadable(fd, util.patience)
    local available = ffi.new("int[1]")
    C.ioctl(fd, 0x541B, available) -- FIONREAD
    if has_hung_up and available[0] == 0 and writers[fd] then
        C.waitid(P_PID, writers[fd], ffi.new("char[128]"), WEXITED + WNOWAIT)
    end
    return available[0]
end

--- Stand-in only: waits in real time until there is something to read, or the writer is gone; says whether it is gone.
function util.waitReadable(fd, milliseconds)
    local request = ffi.new("struct standin_pollfd[1]")
    request[0].fd, request[0].events = fd, POLLIN
    C.poll(request, 1, milliseconds)
    return require("bit").band(request[0].revents, POLLHUP) ~= 0
end

function util.readAllFromFD(fd)
    local chunks, buffer = {}, ffi.new("char[?]", 65536)
    while true do
        local count = tonumber(C.read(fd, buffer, 65536))
        if count <= 0 then
            break
        end
        chunks[#chunks + 1] = ffi.string(buffer, count)
    end
    C.close(fd)
    writers[fd] = nil
    return table.concat(chunks)
end

function util.writeToFD(fd, data, close)
    local at = 0
    while at < #data do
        local count = tonumber(C.write(fd, data:sub(at + 1), #data - at))
        if count <= 0 then
            break
        end
        at = at + count
    end
    if close then
        C.close(fd)
    end
    return at == #data
end

function util.fsyncOpenedFile(file)
    file:flush()
    return C.fsync(C.fileno(file)) == 0
end

function util.fsyncDirectory(path)
    local directory = lfs.attributes(path, "mode") == "directory" and path or path:gsub("/[^/]*$", "")
    local fd = C.open(directory, 0)
    if fd < 0 then
        return false
    end
    local ok = C.fsync(fd) == 0
    C.close(fd)
    return ok
end

function util.realpath(path)
    local resolved = C.realpath(path, nil)
    if resolved == nil then
        return nil
    end
    local text = ffi.string(resolved)
    C.free(resolved)
    return text
end

function util.basename(path)
    return (path:gsub("/+$", ""):match("([^/]*)$"))
end

function util.dirname(path)
    return path:match("^(.*)/[^/]*$") or "."
end

function util.joinPath(one, two)
    return two:sub(1, 1) == "/" and two or one .. "/" .. two
end

function util.copyFile(from, to)
    local source, err = io.open(from, "rb")
    if not source then
        return err
    end
    local target
    target, err = io.open(to, "wb")
    if not target then
        source:close()
        return err
    end
    target:write(source:read("*a"))
    source:close()
    target:close()
end

function util.purgeDir(directory)
    for name in lfs.dir(directory) do
        if name ~= "." and name ~= ".." then
            local path = directory .. "/" .. name
            if lfs.symlinkattributes(path, "mode") == "directory" then
                util.purgeDir(path)
            else
                os.remove(path)
            end
        end
    end
    return lfs.rmdir(directory)
end

function util.template(text, ...)
    local values = { ... }
    return (text:gsub("%%(%d)", function(number)
        return tostring(values[tonumber(number)])
    end))
end

function util.orderedPairs(t)
    local keys = {}
    for key in pairs(t) do
        table.insert(keys, key)
    end
    table.sort(keys, function(a, b)
        return tostring(a) < tostring(b)
    end)
    local at = 0
    return function()
        at = at + 1
        return keys[at], t[keys[at]]
    end
end

function util.sleep(seconds)
    C.usleep(seconds * 1000000)
end

function util.usleep(microseconds)
    C.usleep(microseconds)
end

function util.getTimestamp()
    return require("socket").gettime()
end

function util.isAndroid()
    return false
end

function util.strcoll(one, two)
    return one < two
end

return util
