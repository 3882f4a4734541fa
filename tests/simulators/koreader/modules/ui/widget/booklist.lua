-- What the file browser shows of each book, cached since v2025.04 (koreader.md 3.14).
local DocSettings = require("docsettings")

local BookList = { book_info_cache = {} }

function BookList.setBookInfoCache(file, doc_settings)
    local summary = doc_settings:readSetting("summary") or {}
    local annotations = doc_settings:readSetting("annotations") or {}
    BookList.book_info_cache[file] = {
        been_opened = true,
        status = summary.status or "reading",
        rating = summary.rating or 0,
        pages = doc_settings:readSetting("doc_pages"),
        has_annotations = #annotations > 0,
        percent_finished = doc_settings:readSetting("percent_finished"),
    }
end

function BookList.setBookInfoCacheProperty(file, name, value)
    BookList.book_info_cache[file] = BookList.book_info_cache[file] or {}
    BookList.book_info_cache[file][name] = value
    BookList.book_info_cache[file].been_opened = true
end

function BookList.resetBookInfoCache(file)
    BookList.book_info_cache[file] = nil
end

function BookList.hasBookBeenOpened(file)
    return DocSettings:hasSidecarFile(file)
end

function BookList.getBookInfo(file)
    if not BookList.book_info_cache[file] then
        if DocSettings:hasSidecarFile(file) then
            BookList.setBookInfoCache(file, DocSettings:open(file))
        else
            BookList.book_info_cache[file] = { been_opened = false }
        end
    end
    return BookList.book_info_cache[file]
end

function BookList.getBookStatus(file)
    local info = BookList.getBookInfo(file)
    return info.been_opened and info.status or "new"
end

function BookList.getDocSettings(file)
    return DocSettings:open(file)
end

return BookList
