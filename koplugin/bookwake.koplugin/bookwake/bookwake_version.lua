--- The version of this code, one place for all: `_meta.lua` of the same build says the same.
return "1.0.0"
