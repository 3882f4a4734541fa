--- Who this reader is to the server: address, id and token given at pairing, cursors, and a counter for names.
--
-- The token is in a file of its own, so that the rest can be shown to others. Names must never be used twice, not even
-- after a crash or when the file is lost: the counter is reserved in blocks before it is used, and a new file starts a
-- new series with random letters (KOReader's `random.uuid` repeats itself: docs/reference/koreader.md 3.13).
local Device = {}
Device.__index = Device

local BLOCK = 200
local RECORD, SECRET = "device.json", "bookwake_secret.json"

--- @param options `store`: bookwake_store; `secrets`: one in the settings folder; `random`: a function of `count` that
-- gives so many random bytes
function Device.open(options)
    local self = setmetatable({}, Device)
    self.store, self.secrets, self.random = options.store, options.secrets, options.random
    self.record = self.store:read(RECORD) or {}
    self._secret = self.secrets:read(SECRET) or {}
    if self._secret.id ~= self.record.id then
        -- One of the two files is lost or of another time: the pairing is what the token says.
        self.record = { id = self._secret.id, address = self._secret.address }
    end
    self._next = self.record.reserved or 0
    return self
end

function Device:is_paired()
    return self._secret.token ~= nil and self.record.address ~= nil
end

function Device:token()
    return self._secret.token
end

--- The certificate that the server must show, as a path for LuaSec; nil where any will do.
function Device:certificate()
    return self._secret.certificate
end

--- Change fields of the record; false stands for no value.
function Device:set(fields)
    for name, value in pairs(fields) do
        if value == false then
            value = nil
        end
        self.record[name] = value
    end
    return self.store:write(RECORD, self.record)
end

--- Take what the server answered to `pair`. The token goes to the card first: the server gives it once.
-- @param address where the server is, without a slash at the end
-- @param certificate path of the only certificate to accept, or nil
function Device:pair(address, answer, certificate)
    local id = tostring(answer.device.id)
    self._secret = { token = answer.token, id = id, address = address, certificate = certificate }
    local ok, err = self.secrets:write(SECRET, self._secret)
    if not ok then
        return nil, err
    end
    return self:set({
        id = id,
        name = answer.device.name or false,
        person = answer.person or false,
        address = address,
        library = false,
        cursor = false,
        unpaired = false,
    })
end

--- Forget the token; books, outbox and inbox stay.
function Device:forget()
    self._secret = {}
    self.secrets:write(SECRET, self._secret)
    return self:set({ unpaired = false, cursor = false, library = false })
end

local function letters(bytes)
    return (bytes:gsub(".", function(byte)
        return string.format("%02x", byte:byte())
    end))
end

--- Count on, never back. @param at_least used before, as the outbox shows
function Device:next(at_least)
    local following = math.max(self._next, at_least or 0) + 1
    if not self.record.series or following > (self.record.reserved or 0) then
        local ok, err = self:set({
            series = self.record.series or letters(self.random(4)),
            reserved = following + BLOCK,
        })
        if not ok then
            return nil, err
        end
    end
    self._next = following
    return following
end

--- A name that was never used: for an operation, an annotation or a marker.
function Device:name(number)
    number = number or self:next()
    return number and string.format("%s-%s-%d", tostring(self.record.id), self.record.series, number)
end

return Device
