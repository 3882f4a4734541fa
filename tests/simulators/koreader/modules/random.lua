-- KOReader's generator: seeded with the time, so two devices that start together give the same "unique" ids.
local random = { state = os.time() }

function random.uuid(with_dashes)
    local hex = {}
    for i = 1, 32 do
        random.state = (random.state * 1103515245 + 12345) % 2147483648
        hex[i] = string.format("%X", math.floor(random.state / 65536) % 16)
    end
    local text = table.concat(hex)
    if with_dashes then
        text = text:gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-")
    end
    return text
end

return random
