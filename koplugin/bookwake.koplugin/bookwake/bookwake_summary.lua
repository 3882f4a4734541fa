--- Status, rating and review of a book: what changed here, and what to take over. Functions of values.
--
-- KOReader makes every book "reading" when it is opened (docs/reference/koreader.md 3.7). That says nothing and is
-- never sent unless a person turned a finished or abandoned book back to it, as shows by comparison with the baseline.
local Summary = {}

local STATUSES = { reading = true, complete = true, abandoned = true }

--- The table of a sidecar (`summary`) with all fields in order.
function Summary.read(summary)
    summary = type(summary) == "table" and summary or {}
    local rating = tonumber(summary.rating) or 0
    return {
        status = STATUSES[summary.status] and summary.status or nil,
        rating = math.max(0, math.min(5, math.floor(rating + 0.5))),
        review = type(summary.note) == "string" and summary.note or "",
    }
end

--- What the server is known, or being told, to hold from us.
-- @param record a book's record; @param operations that wait, oldest first
function Summary.view(record, operations)
    local view = record.state or {}
    for _, operation in ipairs(operations) do
        if operation.kind == "state" and operation.known then
            view = operation.known
        end
    end
    return view
end

--- The fields that a person changed, or nil.
-- @param binding of the sidecar: in a foreign one no difference is a change
function Summary.diff(view, now, binding)
    if binding == "foreign" then
        return nil
    end
    local fields, is_changed = {}, false
    local before = view.status
    if now.status and now.status ~= before then
        local is_implicit = now.status == "reading" and (before == nil or before == "new")
        if not is_implicit then
            fields.status, is_changed = now.status, true
        end
    end
    if now.rating ~= (view.rating or 0) then
        fields.rating, is_changed = now.rating, true
    end
    if now.review ~= (view.review or "") then
        fields.review, is_changed = now.review, true
    end
    return is_changed and fields or nil
end

--- What to change in a sidecar's summary to show the server's state, or nil when it does already.
-- @param now of `read`; @param state as pulled
-- @return `{status, rating, note}` to set, `rating` false to take it away
function Summary.take(now, state)
    local change, is_changed = {}, false
    if STATUSES[state.status] and state.status ~= now.status then
        change.status, is_changed = state.status, true
    end
    local rating = math.max(0, math.min(5, math.floor((tonumber(state.rating) or 0) + 0.5)))
    if rating ~= now.rating then
        change.rating, is_changed = rating > 0 and rating or false, true
    end
    local review = type(state.review) == "string" and state.review or ""
    if review ~= now.review then
        change.note, is_changed = review, true
    end
    return is_changed and change or nil
end

return Summary
