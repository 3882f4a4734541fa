--- Translations: our own catalogue `l10n/<language>.po` first, then KOReader's, else the English text.
--
--     local _ = require("bookwake_gettext")
--     _("Sync this book now")      _.ngettext("%1 book", "%1 books", n)
--
-- A catalogue is read as data, line by line; `l10n/bookwake.pot` lists what there is to translate.
local GetText = require("gettext")
local template = require("ffi/util").template

local Translation = { catalogue = {}, plurals = {} }

local ESCAPES = { n = "\n", t = "\t", ['"'] = '"', ["\\"] = "\\" }

local function unquoted(line)
    local inner = line:match('^[^"]*"(.*)"%s*$')
    return inner and (inner:gsub("\\(.)", function(letter)
        return ESCAPES[letter] or letter
    end)) or ""
end

--- Entries of a .po file: texts by English text, and lists of plural forms. Fuzzy and empty ones are left out.
function Translation.parse(text)
    local catalogue, plurals = {}, {}
    local entry, field = {}, nil
    local function finish()
        if entry.id and entry.id ~= "" and not entry.fuzzy then
            if entry.plural and entry[0] and entry[0] ~= "" then
                plurals[entry.id] = { [0] = entry[0], entry[1] or entry[0] }
            elseif entry.str and entry.str ~= "" then
                catalogue[entry.id] = entry.str
            end
        end
        entry, field = {}, nil
    end
    for line in (text .. "\n\n"):gmatch("([^\r\n]*)\r?\n") do
        local keyword = line:match("^(msg%S+)%s")
        if line:match("^%s*$") then
            finish()
        elseif line:match("^#,.*fuzzy") then
            entry.fuzzy = true
        elseif keyword then
            local form = keyword:match("^msgstr%[(%d+)%]$")
            field = ({ msgid = "id", msgid_plural = "plural", msgstr = "str", msgctxt = "context" })[keyword]
                or tonumber(form)
            if field then
                entry[field] = unquoted(line)
            end
        elseif field and line:match('^%s*"') then
            entry[field] = entry[field] .. unquoted(line)
        end
    end
    return catalogue, plurals
end

--- Reads the catalogue of a language ("de", "pt_BR"; the part before "_" will do), if there is one.
function Translation.load(directory, language)
    Translation.catalogue, Translation.plurals = {}, {}
    for _, name in ipairs({ language or "", (language or ""):match("^%a+") or "" }) do
        local file = name ~= "" and io.open(directory .. "/" .. name .. ".po", "rb")
        if file then
            Translation.catalogue, Translation.plurals = Translation.parse(file:read("*a"))
            file:close()
            return true
        end
    end
    return false
end

function Translation.gettext(text)
    return Translation.catalogue[text] or GetText(text)
end

--- The form for a number, with %1 replaced by it.
function Translation.ngettext(one, many, count)
    local forms = Translation.plurals[one]
    local text = forms and forms[count == 1 and 0 or 1] or GetText.ngettext(one, many, count)
    return template(text, count)
end

-- The language of KOReader, from the build that runs.
local shim = package.loaded["bookwake_shim"]
if shim and shim.directory and G_reader_settings then
    Translation.load(shim.directory .. "/l10n", G_reader_settings:readSetting("language"))
end

return setmetatable(Translation, {
    __call = function(_, text)
        return Translation.gettext(text)
    end,
})
