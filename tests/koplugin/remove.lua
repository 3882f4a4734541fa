--- Removes a file, or a folder with all in it.
local lfs = require("lfs")

local function remove(path)
    if lfs.symlinkattributes(path, "mode") == "directory" then
        for name in lfs.dir(path) do
            if name ~= "." and name ~= ".." then
                remove(path .. "/" .. name)
            end
        end
        lfs.rmdir(path)
    else
        os.remove(path)
    end
end

return remove
