--- Where a server is: what a person may have meant by a typed address, and which of that is a Bookwake.
local _ = require("bookwake_gettext")

local Address = {}

--- A typed address as it is kept: with a scheme, without a slash at the end, without credentials.
-- Returns a list of what to try, or nil and a sentence.
function Address.candidates(typed)
    local text = typed:gsub("%s", ""):gsub("/+$", "")
    if text == "" then
        return nil, _("Type the address of your server, as your browser shows it.")
    end
    local scheme, rest = text:match("^(%a+)://(.+)$")
    if text:match("^%a+:/*$") then
        return nil, _("An address has a name or number behind http:// or https://.")
    end
    rest = rest or text
    if scheme and scheme:lower() ~= "http" and scheme:lower() ~= "https" then
        return nil, _("An address begins with http:// or https://.")
    elseif rest:match("^[^/]*@") then
        return nil, _("Leave out name and password: a code is all this reader needs.")
    elseif not rest:match("^[%w%[][%w%.%-_:%]%[]*") or rest:match('[%c<>"\\^`{|}]') then
        return nil, _("This is no address. It looks like http://192.168.1.20:8000 or https://books.example.org.")
    end
    if scheme then
        return { scheme:lower() .. "://" .. rest }
    end
    local host = rest:match("^[^/:]+") or rest
    local at_home = host:match("^[%d%.]+$") or host:match("%.local$") or host:match("%.lan$") or not host:match("%.")
    if at_home or rest:match(":%d+") then
        return { "http://" .. rest, "https://" .. rest }
    end
    return { "https://" .. rest, "http://" .. rest }
end

--- The first of the addresses where a Bookwake answers. `found(address, hello)` or `found(nil, err, address)`.
function Address.find(server, addresses, found)
    local worst, where
    local function try(at)
        local address = addresses[at]
        if not address then
            return found(nil, worst, where)
        end
        server:ask({
            method = "GET",
            path = "hello",
            address = address,
            token = false,
            on_done = function(hello, err)
                if hello and hello.server == "bookwake" then
                    return found(address, hello)
                end
                err = err or { class = "foreign" }
                -- That something else answers says more than that nobody does.
                if not worst or err.class == "foreign" then
                    worst, where = err, address
                end
                return try(at + 1)
            end,
        })
    end
    try(1)
end

return Address
