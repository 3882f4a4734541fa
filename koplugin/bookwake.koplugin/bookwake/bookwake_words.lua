--- Sentences for what happened: what, why, and what to do.
local _ = require("bookwake_gettext")
local T = require("ffi/util").template

local Words = {}

-- Errors that are made with a sentence in them.
local OWN = { place = true, full = true, update = true }

--- An error of `core.server`, or one of ours, in words. `address`: of the server that was asked.
function Words.of_error(err, address)
    address = address or ""
    local class = err and err.class
    if OWN[class] then
        return err.message
    elseif class == "offline" then
        return _("There is no network. Everything is kept and is sent when there is one.")
    elseif class == "transport" then
        return T(_("%1 does not answer. Is the server on, and is this reader in the same network?"), address)
    elseif class == "foreign" then
        return T(
            _("What answers at %1 is not Bookwake. In a guest network, sign in to it first; else check the address."),
            address
        )
    elseif class == "unpaired" then
        return _("This reader is not connected to your server any more. Connect it again: nothing is lost.")
    elseif class == "later" then
        return _("The server is busy. It is tried again later.")
    elseif class == "too-old" then
        return _("This plugin is too old for your server. Update it in this menu.")
    elseif class == "too-much" then
        return _("The server took only a part. The rest is sent next time.")
    elseif class == "fork" then
        return _("The reader is short of memory right now. It is tried again later.")
    elseif class == "failed" then
        return _("The server had a fault of its own. It is tried again later; its log says more.")
    end
    if err and err.status == 404 and not err.message then
        return _("The server does not have that. It may be older than this plugin: update it.")
    end
    return err and err.message or _("It did not work.")
end

local REASONS = {
    ["not-found"] = _("the words are nowhere in this file"),
    ["different-words"] = _("there are other words at its place"),
    ["ambiguous"] = _("the words are there several times"),
    ["no-position"] = _("its place is not known in this file"),
    ["no_place"] = _("its place is not known in this file"),
    ["unmatched-file"] = _("this file is not the one in your library"),
    ["other-document"] = _("it is in a part that this file does not have"),
    ["paged"] = _("this kind of file has no such places"),
}

--- Why something could not be placed; an unknown code is shown as it is.
function Words.of_reason(code)
    return REASONS[code] or (code and tostring(code):gsub("[_-]", " ")) or _("no reason was given")
end

local HOW = {
    exact = _("this very file is in your library"),
    stored = _("by the name KOReader once gave it"),
    identifier = _("the file names the book itself"),
    linked = _("you said so"),
    none = _("not in your library"),
}

--- How a file was matched.
function Words.of_match(how)
    return HOW[how] or _("not looked up yet")
end

local KINDS = {
    progress = _("Reading places"),
    annotations = _("Highlights and notes"),
    followed = _("Confirmations"),
    state = _("Statuses and ratings"),
    session = _("Reading times"),
}

function Words.of_kind(kind)
    return KINDS[kind] or kind
end

--- A time in words a person uses. `now`: seconds since 1970.
function Words.of_time(time, now)
    if not time or time <= 0 then
        return _("never")
    end
    local ago = now - time
    if ago < 90 then
        return _("just now")
    elseif ago < 3600 then
        return _.ngettext("a minute ago", "%1 minutes ago", math.floor(ago / 60))
    elseif ago < 24 * 3600 then
        return _.ngettext("an hour ago", "%1 hours ago", math.floor(ago / 3600))
    end
    return os.date("%Y-%m-%d %H:%M", time)
end

--- Title, and series with number, of a book as the server names it.
function Words.of_book(book)
    local title = book.title or _("Unknown book")
    if book.series then
        local number = book.series_index and (" " .. Words.number(book.series_index)) or ""
        return T(_("%1 (%2%3)"), title, book.series, number)
    end
    return title
end

--- 2 for 2.0, 2.5 for 2.5.
function Words.number(value)
    return value == math.floor(value) and string.format("%d", value) or tostring(value)
end

return Words
