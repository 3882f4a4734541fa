-- Which KOReader this is: the number is YYYYMM, patch and commits, not a string to compare (koreader.md 0).
local Version = {}

function Version:getCurrentRevision()
    return require("standin").version
end

function Version:getNormalizedVersion(revision)
    local year, month, patch, commits = revision:match("v(%d%d%d%d)%.(%d%d)%.?(%d?%d?)-?(%d*)")
    local number = (tonumber(year) * 100 + tonumber(month)) * 1000000
    return number + (tonumber(patch) or 0) * 10000 + (tonumber(commits) or 0), revision:match("-g(%x+)")
end

function Version:getNormalizedCurrentVersion()
    return self:getNormalizedVersion(self:getCurrentRevision())
end

function Version:getShortVersion()
    return (self:getCurrentRevision():gsub("^v", ""))
end

return Version
