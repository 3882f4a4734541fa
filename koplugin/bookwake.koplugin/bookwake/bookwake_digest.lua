--- Which file is which: the partial MD5 of its bytes as they are now.
--
-- The sidecar's own `partial_md5_checksum` is written once and stays when the file is replaced or the sidecar copied
-- (docs/reference/koreader.md 2.3), so it is computed afresh whenever size or times of the file have changed.
local Digest = {}
Digest.__index = Digest

local MOST = 4000

--- @param options `files`: bookwake_files; `partial_md5`: KOReader's `util.partialMD5`; `store`
function Digest.open(options)
    local self = setmetatable({}, Digest)
    self.files, self.partial_md5, self.store = options.files, options.partial_md5, options.store
    local kept = self.store:read("digests.json") or {}
    self.known = kept.files or {}
    self.count = 0
    for _ in pairs(self.known) do
        self.count = self.count + 1
    end
    return self
end

--- @return the digest in lower case, or nil when the file cannot be read
function Digest:of(path)
    local about = self.files.attributes(path)
    if not about or about.mode ~= "file" then
        return nil
    end
    local mark = string.format("%d %d %d", about.size, about.modification, about.change or 0)
    local known = self.known[path]
    if known and known.mark == mark then
        return known.digest
    end
    local digest = self.partial_md5(path)
    if not digest then
        return nil
    end
    digest = digest:lower()
    if not known then
        if self.count >= MOST then
            self.known, self.count = {}, 0
        end
        self.count = self.count + 1
    end
    self.known[path] = { mark = mark, digest = digest }
    self.is_changed = true
    return digest
end

--- Keep what was computed; losing it costs only time.
function Digest:save()
    if self.is_changed then
        self.store:write("digests.json", { files = self.known })
        self.is_changed = nil
    end
end

return Digest
