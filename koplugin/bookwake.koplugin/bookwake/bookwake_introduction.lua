--- What the plugin says of itself and of the reader it runs on, when it meets the server.
local Introduction = {}

local function call(object, name)
    local ok, value = pcall(function()
        return object[name](object)
    end)
    return ok and value or nil
end

local PLATFORMS = {
    { "isKobo", "kobo" },
    { "isKindle", "kindle" },
    { "isPocketBook", "pocketbook" },
    { "isRemarkable", "remarkable" },
    { "isAndroid", "android" },
    { "isCervantes", "cervantes" },
    { "isSonyPRSTUX", "sony" },
}

local function platform(Device)
    for _, one in ipairs(PLATFORMS) do
        if call(Device, one[1]) then
            return one[2]
        end
    end
    return "desktop"
end

--- Fields of `pair`, `pair/begin` and `hello` (docs/plugin-protocol.md, Meeting).
function Introduction.of_this_reader()
    local Device = require("device")
    return {
        plugin = require("bookwake_version"),
        koreader = require("version"):getCurrentRevision(),
        platform = platform(Device),
        model = tostring(Device.model or "KOReader"),
        device_id = G_reader_settings:readSetting("device_id"),
        rolled_back = require("bookwake_update").taken_back(),
    }
end

--- The same without what only `hello` asks for.
function Introduction.for_pairing()
    local fields = Introduction.of_this_reader()
    fields.platform, fields.rolled_back = nil, nil
    return fields
end

return Introduction
