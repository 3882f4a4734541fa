-- The network as a person sets it: `connected` (an address on the LAN), `online` (names of the internet resolve).
local Event = require("ui/event")
local UIManager = require("ui/uimanager")

local NetworkMgr = { connected = true, online = true, wifi_asked = 0, waiting = {} }

function NetworkMgr:isWifiOn()
    return self.connected
end

function NetworkMgr:isConnected()
    return self.connected
end

--- Blocks for the time of a DNS query and is false on a LAN without internet: nobody who syncs at home may ask it.
function NetworkMgr:isOnline()
    self.asked_online = (self.asked_online or 0) + 1
    return self.connected and self.online
end

function NetworkMgr:getConnectionState()
    return self.connected
end

--- Somebody wants the network: what happens depends on `wifi_enable_action`; by default a person is asked.
function NetworkMgr:beforeWifiAction(callback)
    self.wifi_asked = self.wifi_asked + 1
    if G_reader_settings:readSetting("wifi_enable_action") == "turn_on" then
        self:connect()
        if callback then
            callback()
        end
    else
        table.insert(self.waiting, callback)
    end
end

function NetworkMgr:runWhenConnected(callback)
    if self:isConnected() then
        callback()
    else
        self:beforeWifiAction(callback)
    end
end

function NetworkMgr:willRerunWhenConnected(callback)
    if self:isConnected() then
        return false
    end
    self:beforeWifiAction(callback)
    return true
end

function NetworkMgr:runWhenOnline(callback)
    if self:isOnline() then
        callback()
    else
        self:beforeWifiAction(not self:isConnected() and callback or nil)
    end
end

function NetworkMgr:willRerunWhenOnline(callback)
    if self:isOnline() then
        return false
    end
    self:beforeWifiAction(not self:isConnected() and callback or nil)
    return true
end

--- Blocks the whole user interface for up to thirty seconds.
function NetworkMgr:goOnlineToRun()
    error("goOnlineToRun freezes KOReader")
end

-- What the world does

function NetworkMgr:connect()
    self.connected = true
    UIManager:broadcastEvent(Event:new("NetworkConnected"))
    local waiting = self.waiting
    self.waiting = {}
    for _, callback in ipairs(waiting) do
        callback()
    end
end

function NetworkMgr:disconnect()
    UIManager:broadcastEvent(Event:new("NetworkDisconnecting"))
    self.connected = false
    UIManager:broadcastEvent(Event:new("NetworkDisconnected"))
end

return NetworkMgr
