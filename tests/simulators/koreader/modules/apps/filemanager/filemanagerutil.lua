-- What the file browser does to closed books.
local DocSettings = require("docsettings")

local filemanagerutil = {}

function filemanagerutil.getDefaultDir()
    return require("standin").books
end

function filemanagerutil.getHomeFolder()
    return G_reader_settings:readSetting("home_dir") or filemanagerutil.getDefaultDir()
end

function filemanagerutil.abbreviate(path)
    return path
end

function filemanagerutil.saveSummary(doc_settings_or_file, summary)
    local settings = doc_settings_or_file
    if type(settings) ~= "table" then
        settings = DocSettings:open(settings)
    end
    summary.modified = os.date("%Y-%m-%d")
    settings:saveSetting("summary", summary)
    settings:flush()
    return settings
end

function filemanagerutil.openFile(ui, file, before)
    if before then
        before()
    end
    require("apps/reader/readerui"):showReader(file)
end

return filemanagerutil
