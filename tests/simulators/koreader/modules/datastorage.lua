-- Where KOReader keeps its files: below KO_HOME.
local DataStorage = {}

function DataStorage:getDataDir()
    return require("standin").home
end

DataStorage.getFullDataDir = DataStorage.getDataDir

function DataStorage:getSettingsDir()
    return self:getDataDir() .. "/settings"
end

function DataStorage:getHistoryDir()
    return self:getDataDir() .. "/history"
end

function DataStorage:getDocSettingsDir()
    return self:getDataDir() .. "/docsettings"
end

function DataStorage:getDocSettingsHashDir()
    return self:getDataDir() .. "/hashdocsettings"
end

return DataStorage
