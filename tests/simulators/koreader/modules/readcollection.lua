-- Collections: there are none.
return { coll = { favorites = {} }, updateLastBookTime = function() end }
