-- Digests through libcrypto, with the interface of KOReader's pure Lua module.
local ffi = require("ffi")

pcall(ffi.cdef, [[
unsigned char *MD5(const unsigned char *data, size_t length, unsigned char *digest);
unsigned char *SHA1(const unsigned char *data, size_t length, unsigned char *digest);
unsigned char *SHA256(const unsigned char *data, size_t length, unsigned char *digest);
]])
local crypto = ffi.load("libcrypto.so.3")

local sha2 = {}

function sha2.bin_to_hex(binary)
    return (binary:gsub(".", function(c)
        return string.format("%02x", c:byte())
    end))
end

function sha2.hex_to_bin(hex)
    return (hex:gsub("%x%x", function(pair)
        return string.char(tonumber(pair, 16))
    end))
end

sha2.bin2hex, sha2.hex2bin = sha2.bin_to_hex, sha2.hex_to_bin

--- `digest(text)` gives hex; `digest()` gives a function that takes pieces, and the hex when called with none.
local function algorithm(name, length)
    local function once(data)
        local out = ffi.new("unsigned char[?]", length)
        crypto[name](data, #data, out)
        return sha2.bin_to_hex(ffi.string(out, length))
    end
    return function(data)
        if data then
            return once(data)
        end
        local pieces = {}
        local function update(piece)
            if piece then
                table.insert(pieces, piece)
                return update
            end
            return once(table.concat(pieces))
        end
        return update
    end
end

sha2.md5 = algorithm("MD5", 16)
sha2.sha1 = algorithm("SHA1", 20)
sha2.sha256 = algorithm("SHA256", 32)

function sha2.hmac(hash, key, message)
    if #key > 64 then
        key = sha2.hex_to_bin(hash(key))
    end
    key = key .. ("\0"):rep(64 - #key)
    local function padded(value)
        return (key:gsub(".", function(c)
            return string.char(bit.bxor(c:byte(), value))
        end))
    end
    return hash(padded(0x5c) .. sha2.hex_to_bin(hash(padded(0x36) .. message)))
end

function sha2.bin_to_base64(binary)
    return (require("mime").b64(binary))
end

function sha2.base64_to_bin(text)
    return (require("mime").unb64(text))
end

sha2.bin2base64, sha2.base642bin = sha2.bin_to_base64, sha2.base64_to_bin

return sha2
