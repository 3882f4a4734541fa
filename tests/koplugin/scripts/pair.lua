--- Pairs the plugin by a code: `pair.lua ADDRESS CODE`.
local T = ...
local address, code = unpack(T.args)
local core = require("bookwake_core").get()
local body = require("bookwake_introduction").for_pairing()
body.code = code
local answered, problem
core.server:ask({
    path = "pair",
    body = body,
    address = address,
    token = false,
    on_done = function(answer, err)
        answered, problem = answer or false, err
    end,
})
T.waitfor(function()
    return answered ~= nil
end, 60, "an answer")
assert(answered, problem and (problem.class .. " " .. tostring(problem.message)))
assert(core.device:pair(address, answered))
T.result({ id = answered.device.id, person = answered.person })
