-- Timeouts of requests: process-wide, and the total one is only kept by the sinks made here (koreader.md 3.10).
local http = require("socket.http")
local ltn12 = require("ltn12")
local socket = require("socket")
local ok, https = pcall(require, "ssl.https")

local socketutil = {
    DEFAULT_BLOCK_TIMEOUT = 60,
    DEFAULT_TOTAL_TIMEOUT = -1,
    LARGE_BLOCK_TIMEOUT = 10,
    LARGE_TOTAL_TIMEOUT = 30,
    FILE_BLOCK_TIMEOUT = 15,
    FILE_TOTAL_TIMEOUT = 60,
    TIMEOUT_CODE = "timeout",
    SSL_HANDSHAKE_CODE = "wantread",
    SINK_TIMEOUT_CODE = "sink timeout",
    block_timeout = 60,
    total_timeout = -1,
}

socketutil.USER_AGENT = "KOReader/" .. require("version"):getShortVersion() .. " (Emulator; Linux; x64)"
http.USERAGENT = socketutil.USER_AGENT

function socketutil:set_timeout(block, total)
    self.block_timeout = block or self.DEFAULT_BLOCK_TIMEOUT
    self.total_timeout = total or self.DEFAULT_TOTAL_TIMEOUT
    http.TIMEOUT = self.block_timeout
    if ok then
        https.TIMEOUT = self.block_timeout
    end
end

function socketutil:reset_timeout()
    self:set_timeout()
end

local function limited(sink)
    local started = socket.gettime()
    return function(chunk, err)
        if chunk and socketutil.total_timeout >= 0 and socket.gettime() - started > socketutil.total_timeout then
            return nil, socketutil.SINK_TIMEOUT_CODE
        end
        return sink(chunk, err)
    end
end

function socketutil.table_sink(t)
    local sink, filled = ltn12.sink.table(t)
    return limited(sink), filled
end

function socketutil.file_sink(handle, err)
    return limited(ltn12.sink.file(handle, err))
end

function socketutil.chainSinkWithProgressCallback(sink, progress)
    local total = 0
    return function(chunk, err)
        if chunk then
            total = total + #chunk
            progress(total)
        end
        return sink(chunk, err)
    end
end

function socketutil.redact_headers(headers)
    local safe = {}
    for key, value in pairs(headers) do
        safe[key] = key:lower() == "authorization" and "REDACTED" or value
    end
    return safe
end

return socketutil
