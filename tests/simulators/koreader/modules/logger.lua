-- KOReader's log, kept in memory so that a test can see that no secret is in it.
local logger = { lines = {} }

local function write(level)
    return function(...)
        local parts = {}
        for i = 1, select("#", ...) do
            parts[i] = tostring((select(i, ...)))
        end
        local line = level .. " " .. table.concat(parts, " ")
        table.insert(logger.lines, line)
        if os.getenv("KO_LOG") then
            io.stderr:write(line, "\n")
        end
    end
end

logger.dbg = write("DEBUG")
logger.info = write("INFO")
logger.warn = write("WARN")
logger.err = write("ERROR")

return logger
