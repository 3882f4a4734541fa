--- Runs something that must never take KOReader down with it.
--
-- KOReader catches errors of a plugin's event handlers, but not those of what the plugin has scheduled
-- (docs/reference/koreader.md 3.1).

--- @return what `fn` returned, nil after an error, which is logged
return function(fn, ...)
    local done, result = xpcall(fn, debug.traceback, ...)
    if done then
        return result
    end
    require("logger").warn("bookwake:", result)
    return nil
end
