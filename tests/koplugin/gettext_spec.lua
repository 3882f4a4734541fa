-- Translations: our own catalogue first, read as data; English where there is none.
package.path = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/?.lua;" .. package.path

local koreader = require("koreader")

local GERMAN = [[
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"

msgid "Browse library"
msgstr "Bibliothek "
"durchsuchen"

#, fuzzy
msgid "About Bookwake"
msgstr "Etwas \"anderes\""

msgid "One book was downloaded."
msgid_plural "%1 books were downloaded."
msgstr[0] "Ein Buch wurde geladen."
msgstr[1] "%1 Bücher wurden geladen."

msgid "Settings"
msgstr ""
]]

describe("Translations", function()
    local translation

    before_each(function()
        koreader.start()
        translation = require("bookwake_gettext")
        local file = io.open(koreader.made .. "/de.po", "w")
        file:write(GERMAN)
        file:close()
    end)
    after_each(koreader.stop)

    it("come from the catalogue of the language, or of the one it belongs to", function()
        for _index, language in ipairs({ "de", "de_AT" }) do
            assert.is_true(translation.load(koreader.made, language))
            assert.equal("Bibliothek durchsuchen", translation("Browse library"))
            assert.equal("Ein Buch wurde geladen.", translation.ngettext("One book was downloaded.", "x", 1))
            assert.equal("7 Bücher wurden geladen.", translation.ngettext("One book was downloaded.", "x", 7))
        end
    end)

    it("are English where nobody translated, or was not sure", function()
        translation.load(koreader.made, "de")
        assert.equal("About Bookwake", translation("About Bookwake"))
        assert.equal("Settings", translation("Settings"))
        assert.equal("2 dogs", translation.ngettext("one dog", "%1 dogs", 2))
        assert.is_false(translation.load(koreader.made, "fr"))
        assert.equal("Browse library", translation("Browse library"))
        assert.is_false(translation.load(koreader.made, "../../etc/passwd"))
    end)
end)
