local support = require("support")
local XPointer = require("bookwake_xpointer")

describe("an XPointer", function()
    it("has one canonical spelling", function()
        for given, expected in pairs({
            ["/body/DocFragment[3]/body/p[4]/text().12"] = "/body[1]/DocFragment[3]/body[1]/p[4]/text()[1].12",
            ["/body[1]/DocFragment[3]/body[1]/p[4]/text()[1].12"] = "/body[1]/DocFragment[3]/body[1]/p[4]/text()[1].12",
            ["/body/DocFragment/body/div/p[2]/text()[1].0"] = "/body[1]/DocFragment[1]/body[1]/div[1]/p[2]/text()[1].0",
            ["/body/DocFragment[13].0"] = "/body[1]/DocFragment[13].0",
            ["/body/DocFragment[5]/body/section/p[12]/img"] = "/body[1]/DocFragment[5]/body[1]/section[1]/p[12]/img[1]",
            ["/FictionBook/body[1]/section[2]/p[7]/text().03"] = "/FictionBook[1]/body[1]/section[2]/p[7]/text()[1].3",
            ["/body/DocFragment[2]/body/svg:g/m-x/2/text().1"] = "/body[1]/DocFragment[2]/body[1]/svg:g[1]/m-x[1]/2/text()[1].1",
        }) do
            assert.are.equal(expected, XPointer.canonical(given))
        end
    end)

    it("is not what only looks like one", function()
        for _, given in ipairs({ "", "17", "#id", "epubcfi(/6/4!/4)", "/body/p[0]", "/body//p", "/body/p[a]", "/", "//" }) do
            assert.is_nil(XPointer.canonical(given))
        end
        assert.is_nil(XPointer.canonical(nil))
        assert.is_nil(XPointer.canonical(17))
        assert.is_nil(XPointer.canonical("/a" .. ("/b"):rep(2000)))
    end)

    it("tells its content document, of a book with a single one, too", function()
        assert.are.equal(13, XPointer.fragment("/body/DocFragment[13].0"))
        assert.are.equal(1, XPointer.fragment("/body/DocFragment/body/p"))
        assert.are.equal(2, XPointer.fragment("/body[1]/DocFragment[2]/body[1]"))
        assert.is_nil(XPointer.fragment("/html/body/p[2]"))
    end)

    it("keeps its place whichever indices are left out", function()
        local chance = support.chance(4)
        local names = { "p", "div", "section", "span", "em", "text()", "li" }
        for _ = 1, 2000 do
            local old, new = "/body/DocFragment[" .. chance(40) .. "]/body", nil
            new = old:gsub("/body/", "/body[1]/"):gsub("/body$", "/body[1]")
            for _ = 1, chance(6) do
                local name, index = names[chance(#names)], chance(3)
                new = new .. "/" .. name .. "[" .. index .. "]"
                old = old .. "/" .. name .. ((index > 1 or chance(2) == 1) and "[" .. index .. "]" or "")
            end
            local offset = chance(3) == 1 and "" or "." .. chance(900) - 1
            assert.are.equal(new .. offset, XPointer.canonical(old .. offset))
            assert.are.equal(new .. offset, XPointer.canonical(new .. offset))
            assert.is_true(XPointer.equal(old .. offset, new .. offset))
            assert.is_false(XPointer.equal(old .. offset, new .. "/b" .. offset))
        end
    end)
end)
