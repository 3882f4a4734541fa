--- One HTTP request. It blocks, so it is only ever made in a forked process (`bookwake_background`).
--
-- Redirects are not followed: LuaSocket turns a POST that is redirected into nothing, and a captive portal redirects
-- everything (docs/reference/koreader.md 3.10).
local Http = {}

--- @param lib `http`: socket.http, `ltn12`, `socketutil`, `files`: bookwake_files
-- @return a function of a request: `url`, `method`, `headers`; `body` or `from` (a file to send), `most` (bytes of an
-- answer) or `to` (a file to write it to), `certificate`, `block` and `total` (seconds). It returns `{status, headers,
-- body}`, or nil and what went wrong
function Http.new(lib)
    local function sink_for(request, result)
        local size, deadline = 0, os.time() + (request.total or 15)
        local handle
        if request.to then
            local err
            handle, err = io.open(request.to, "wb")
            if not handle then
                return nil, err
            end
        end
        return function(chunk)
            if not chunk then
                if handle then
                    handle:close()
                    handle = nil
                end
                return 1
            end
            size = size + #chunk
            if os.time() > deadline then
                return nil, "took too long"
            elseif size > (request.most or math.huge) then
                return nil, "answer too long"
            end
            if handle then
                return handle:write(chunk) and 1 or nil, "cannot write"
            end
            result[#result + 1] = chunk
            return 1
        end, function()
            if handle then
                handle:close()
            end
        end
    end

    return function(request)
        local chunks = {}
        local headers = { ["Accept"] = "application/json", ["Accept-Encoding"] = "identity" }
        for name, value in pairs(request.headers or {}) do
            headers[name] = value
        end
        local source
        if request.body then
            headers["Content-Type"] = headers["Content-Type"] or "application/json"
            headers["Content-Length"] = #request.body
            source = lib.ltn12.source.string(request.body)
        elseif request.from then
            local about = lib.files.attributes(request.from)
            local handle = io.open(request.from, "rb")
            if not about or not handle then
                return nil, "cannot read " .. request.from
            end
            headers["Content-Type"] = headers["Content-Type"] or "application/octet-stream"
            headers["Content-Length"] = about.size
            source = lib.ltn12.source.file(handle)
        elseif request.method == "POST" or request.method == "PUT" then
            headers["Content-Length"] = 0
        end
        local sink, close = sink_for(request, chunks)
        if not sink then
            return nil, close
        end
        lib.socketutil:set_timeout(request.block or 5, request.total or 15)
        local ok, done, status, answered = pcall(lib.http.request, {
            url = request.url,
            method = request.method or "GET",
            headers = headers,
            source = source,
            sink = sink,
            redirect = false,
            verify = request.certificate and "peer" or "none",
            cafile = request.certificate,
        })
        -- Timeouts are global to the process; also after an error.
        lib.socketutil:reset_timeout()
        if close then
            close()
        end
        if not ok then
            return nil, tostring(done)
        end
        if not done or type(status) ~= "number" then
            return nil, tostring(status)
        end
        return { status = status, headers = answered or {}, body = table.concat(chunks) }
    end
end

return Http
