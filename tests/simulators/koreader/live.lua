-- A module of KOReader by name, whichever is loaded now: KOReader may have been started again since.
return function(name)
    return setmetatable({}, {
        __index = function(_, key)
            return require(name)[key]
        end,
        __newindex = function(_, key, value)
            require(name)[key] = value
        end,
    })
end
