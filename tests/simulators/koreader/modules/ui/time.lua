-- KOReader's fixed point times: whole microseconds of a monotonic clock.
local time = {}

function time.s(seconds)
    return math.floor(seconds * 1000000)
end

function time.ms(milliseconds)
    return math.floor(milliseconds * 1000)
end

function time.to_s(fts)
    return fts / 1000000
end

function time.to_number(fts)
    return fts / 1000000
end

function time.now()
    return require("ui/uimanager"):getElapsedTimeSinceBoot()
end

function time.since(start)
    return time.now() - start
end

return time
