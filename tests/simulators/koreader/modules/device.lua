-- The device: what it can and how it is called, as `standin.start` was told.
local WidgetContainer = require("ui/widget/container/widgetcontainer")
local standin = require("standin")

local function answer(name, default)
    return function()
        local value = standin.device[name]
        if value == nil then
            value = default
        end
        return value
    end
end

local Device = WidgetContainer:extend({ model = standin.device.model or "Emulator" })

for name, default in pairs({
    isKobo = false,
    isKindle = false,
    isAndroid = false,
    isPocketBook = false,
    isDesktop = true,
    isEmulator = true,
    isTouchDevice = true,
    hasKeys = false,
    hasWifiToggle = true,
    hasWifiManager = false,
    hasWifiRestore = true,
    hasSeamlessWifiToggle = true,
    hasColorScreen = false,
    hasEinkScreen = true,
    canUseWAL = true,
    canRestart = true,
    isStartupScriptUpToDate = true,
}) do
    Device[name] = answer(name, default)
end

Device.screen = {
    getWidth = function()
        return 600
    end,
    getHeight = function()
        return 800
    end,
    getSize = function()
        return { w = 600, h = 800 }
    end,
    scaleBySize = function(_, size)
        return size
    end,
    isColorEnabled = answer("hasColorScreen", false),
}

function Device:getPowerDevice()
    return {
        getCapacity = function()
            return standin.device.battery or 80
        end,
        isCharging = function()
            return standin.device.charging or false
        end,
    }
end

return Device
