--- What the open book has, compared with what was known, as operations in the outbox.
--
-- One for each opened book. It reads the live objects: at closing, the sidecar's values are still those of the last
-- save (docs/reference/koreader.md 3.7). It changes nothing in KOReader but two things of ours: the name on each
-- annotation, and the marker in the sidecar.
local Annotation = require("bookwake_annotation")
local Baseline = require("bookwake_baseline")
local Coalesce = require("bookwake_coalesce")
local Summary = require("bookwake_summary")
local Text = require("bookwake_text")

local Capture = {}
Capture.__index = Capture

local MARKER = "bookwake" -- key in the sidecar
local SNIPPET = 100 -- characters of the place that are sent with it

--- @param core the process's one (`bookwake_core`); @param ui of the reader; @param file digest; @param path
function Capture.new(core, ui, file, path)
    local self = setmetatable({}, Capture)
    self.core, self.ui, self.file, self.path = core, ui, file, path
    self.record = core.books:record(file)
    self.confirmed = {} -- names that a person was seen to delete, with the time
    self.held = {} -- names of deletions that wait for a person
    return self
end

--- Whether annotations can be read and written here: reflowable, and a KOReader of 2024.07 or later.
function Capture:has_annotations()
    return self.ui.rolling ~= nil and self.ui.annotation ~= nil and type(self.ui.annotation.annotations) == "table"
end

--- A person changes the list, as KOReader's event tells.
-- @param items of `AnnotationsModified`
function Capture:modified(items)
    local name = type(items[1]) == "table" and items[1][Annotation.KEY]
    if name and Annotation.is_deletion(items, self.ui.annotation.annotations) then
        self.confirmed[name] = self.core.clock()
    end
end

--- KOReader itself has taken items out of the list while it opened the book (an import of annotations, another engine):
-- not a person's deletions.
function Capture:distrust()
    self.is_distrusted = true
end

function Capture:_binding(n)
    if self.is_distrusted then
        return "foreign"
    end
    if self.record.marker and self.record.device ~= self.core.device.record.id then
        return "first" -- paired anew: this server has heard nothing from this device
    end
    local settings = self.ui.doc_settings
    return Baseline.binding(self.record, settings:readSetting(MARKER), n, settings:readSetting("cre_dom_version"))
end

--- Let the sidecar say up to where it was captured; it is saved together with the list.
function Capture:mark(n)
    self.ui.doc_settings:saveSetting(MARKER, { id = self.record.marker, n = n })
end

--- Put an operation that changes the baseline into the outbox, and its number into the sidecar.
-- @param known what the server knows once it has it; @param instead one that was never sent, which this replaces
-- @return the operation, or nil and why it could not be written
function Capture:add(kind, body, known, n, instead)
    local operation, err = self.core.outbox:add({
        kind = kind,
        file = self.file,
        path = self.path,
        body = body,
        known = known,
        n = n,
    }, instead)
    if operation then
        self:mark(n)
    end
    return operation, err
end

--- Begin anew with a sidecar that is not the one last captured.
function Capture:_bind(binding)
    local record = self.record
    local id = self.core.device.record.id
    if record.device ~= id then
        record.items, record.state, record.told, record.place = {}, nil, nil, nil
    end
    record.device = id
    record.marker = self.core.device:name()
    record.dom = self.ui.doc_settings:readSetting("cre_dom_version")
    if binding == "foreign" then
        -- What this sidecar says is no news; the server's word will come by the next pull.
        record.state = Summary.read(self.ui.doc_settings:readSetting("summary"))
    end
    self.is_distrusted = nil
    self.confirmed, self.held = {}, {}
    if not record.marker then
        return nil, "cannot write"
    end
    return self.core.books:save(record)
end

-- The same, when there is no list to tell of.
function Capture:_bind_empty(binding, n)
    self.record.n = n + 1
    local ok, err = self:_bind(binding)
    if ok then
        self:mark(n + 1)
    end
    return nil, err
end

--- All that a person may have changed.
-- @param act, at of `progress`
-- @return how many operations were written, or nil and why
function Capture:all(act, at)
    local count = 0
    for _, part in ipairs({ "annotations", "state" }) do
        local operation, err = self[part](self)
        if err then
            return nil, err
        end
        count = count + (operation and 1 or 0)
    end
    local operation, err = self:progress(act, at)
    if err then
        return nil, err
    end
    return count + (operation and 1 or 0)
end

--- The annotations that are not as the server knows them.
-- @param is_allowed a person has said that many are to be deleted
-- @return the operation, nil if there is nothing new; nil and why if it could not be written
function Capture:annotations(is_allowed)
    if not self.ui.annotation or self.record.is_newer then
        return nil
    end
    local core, record = self.core, self.record
    local outbox = core.outbox
    local waiting = outbox:of(self.file)
    local items, n = Baseline.view(record, waiting)
    local binding = self:_binding(n)
    if self.ui.paging then -- places on fixed pages are not exchanged
        if binding ~= "bound" then
            return self:_bind_empty(binding, n)
        end
        return nil
    end
    local entries, origin = Annotation.entries(self.ui.annotation.annotations)

    local body, known, held, instead
    if binding == "bound" then
        self:_name(entries, origin, items)
        body, known, held = Baseline.diff(items, entries, {
            confirmed = self.confirmed,
            now = core.clock(),
            digest = core.digest,
            is_allowed = is_allowed,
        })
        self.held = held
        if not body then
            return nil
        end
        instead = outbox:replaceable(self.file, "annotations")
        if instead and instead.body.complete then
            instead = nil
        end
        if instead then
            body, known = self:_together(instead, { body = body, known = known }, waiting)
        end
    else
        if binding == "first" and #entries == 0 and not record.moved_from then
            return self:_bind_empty(binding, n)
        end
        local ok, err = self:_bind(binding)
        if not ok then
            return nil, err
        end
        self:_name(entries, origin, items)
        body, known = Baseline.whole(entries, binding, core.digest)
        body.moved_from = record.moved_from
    end
    local operation, err = self:add("annotations", body, known, n + 1, instead)
    if not operation then
        return nil, err
    end
    for _, one in ipairs(body.deleted) do
        self.confirmed[one.name] = nil
    end
    if record.moved_from then
        record.moved_from = nil
        core.books:save(record)
    end
    return operation
end

--- Say that the list is whole as it is: what is missing from it is given again. For a person who did not mean it.
function Capture:bring_back()
    local core = self.core
    local items, n = Baseline.view(self.record, core.outbox:of(self.file))
    local entries, origin = Annotation.entries(self.ui.annotation.annotations)
    self:_name(entries, origin, items)
    local body, known = Baseline.whole(entries, "bound", core.digest)
    local operation, err = self:add("annotations", body, known, n + 1)
    if operation then
        self.held = {}
    end
    return operation, err
end

function Capture:_name(entries, origin, items)
    local named = Baseline.name(entries, items, function()
        return self.core.device:name()
    end)
    for _, entry in ipairs(named) do
        origin[entry][Annotation.KEY] = entry.name
    end
end

-- One operation of one that was never sent and what has changed since.
function Capture:_together(first, second, waiting)
    local earlier = {}
    for _, operation in ipairs(waiting) do
        if operation ~= first then
            earlier[#earlier + 1] = operation
        end
    end
    return Coalesce.annotations(first, second, (Baseline.view(self.record, earlier)))
end

--- What a person changed of status, rating and review.
function Capture:state()
    local core, record = self.core, self.record
    if not self.ui.annotation or record.is_newer then
        return nil
    end
    local now = Summary.read(self.ui.doc_settings:readSetting("summary"))
    local waiting = core.outbox:of(self.file)
    local view = Summary.view(record, waiting)
    local _, n = Baseline.view(record, waiting)
    local fields = Summary.diff(view, now, self:_binding(n))
    if not fields then
        return nil
    end
    local is_at_end = fields.status == "complete" and self:_percent() >= 0.99
    local body = {
        fields = fields,
        base = view.version,
        by = is_at_end and G_reader_settings:isTrue("end_document_auto_mark") and "automatic" or "person",
    }
    now.version = view.version
    local instead = core.outbox:replaceable(self.file, "state")
    if instead then
        body = Coalesce.state(instead, { body = body, known = now })
    end
    return self:add("state", body, now, n + 1, instead)
end

--- Show the server's status, rating and review; nothing is done while changes of the person's own are on their way.
-- @param state as pulled
-- @return whether anything is different now
function Capture:take_state(state)
    local core, record = self.core, self.record
    local waiting = core.outbox:of(self.file)
    for _, operation in ipairs(waiting) do
        if operation.kind == "state" then
            return false
        end
    end
    local summary = self.ui.doc_settings:readSetting("summary") or {}
    local change = Summary.take(Summary.read(summary), state)
    for name, value in pairs(change or {}) do
        if name ~= "rating" or value then
            summary[name] = value
        else
            summary[name] = nil
        end
    end
    if change then
        summary.modified = os.date("%Y-%m-%d", core.clock())
        self.ui.doc_settings:saveSetting("summary", summary)
    end
    local now = Summary.read(summary)
    now.version = state.version
    record.state = now
    if change then
        local _, n = Baseline.view(record, waiting)
        record.n = n + 1
        self:mark(n + 1)
    end
    core.books:save(record)
    return change ~= nil, change
end

function Capture:_percent()
    local place = self.ui.rolling or self.ui.paging
    local percent = place and place:getLastPercent() or 0
    return math.max(0, math.min(1, tonumber(percent) or 0))
end

--- Where the reader is: the locator, or nil when the engine cannot find it itself.
function Capture:locator()
    local document = self.ui.document
    if self.ui.paging then
        return tostring(self.ui.paging:getLastProgress())
    end
    local xpointer = self.ui.rolling:getLastProgress()
    if not xpointer or not document:isXPointerInDocument(xpointer) then
        xpointer = document:getXPointer()
    end
    return xpointer
end

-- The first words there.
function Capture:_snippet(locator, page, pages)
    if not self.ui.rolling or page >= pages then
        return nil
    end
    local document = self.ui.document
    local ok, text = pcall(function()
        return document:getTextFromXPointers(locator, document:getPageXPointer(page + 1))
    end)
    if not ok or type(text) ~= "string" or text == "" then
        return nil
    end
    return Text.first(Text.normalise(text), SNIPPET)
end

--- The place, if it is another than the last that was captured.
-- @param act "read", "jumped" or "opened"; nil: nothing happened that says anything
-- @param at when, if not now
function Capture:progress(act, at)
    if not act then
        return nil
    end
    local core, record = self.core, self.record
    local locator = self:locator()
    if not locator or (locator == self.last_locator and act ~= "jumped") then
        return nil
    end
    local document = self.ui.document
    local page, pages = document:getCurrentPage(), document:getPageCount()
    local body = {
        locator = locator,
        percent = self:_percent(),
        page = page,
        pages = pages,
        act = act,
        based_on = record.told,
        text = self:_snippet(locator, page, pages),
    }
    local title = self.ui.toc and self.ui.toc:getTocTitleByPage(self.ui.rolling and locator or page)
    body.chapter = title ~= "" and title or nil
    -- The newest place takes the place of the one before; the first of a session stays.
    local instead = core.outbox:replaceable(self.file, "progress")
    if instead and instead == self.first_place then
        instead = nil
    end
    local operation, err = core.outbox:add({
        kind = "progress",
        file = self.file,
        path = self.path,
        at = at,
        body = body,
    }, instead)
    if not operation then
        return nil, err
    end
    self.first_place = self.first_place or operation
    self.last_locator = locator
    record.read_at = act ~= "opened" and (at or core.clock()) or record.read_at
    return operation
end

return Capture
