-- wrk: draft, entry, manifest, publish, one after the other on each connection; a connection has a thread of its own.
-- Arguments: TOKEN DIGEST LENGTH RUN. Prints `RESULT published failed seconds`.
local threads = {}
function setup(thread)
    thread:set("number", #threads + 1)
    table.insert(threads, thread)
end

function init(arguments)
    token, digest, length, run = arguments[1], arguments[2], arguments[3], arguments[4]
    published, failed, step, count = 0, 0, 0, 0
    headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }
end

local versions = "/v1/repos/bench/packages/versions"
function request()
    if step == 0 then
        count = count + 1
        return wrk.format("POST", versions .. "/drafts", headers, '{"packageType":"raw","packageName":"p-' .. run .. "-"
            .. number .. "-" .. count .. '","version":"1"}')
    elseif step == 1 then
        return wrk.format("POST", versions .. "/" .. version .. "/entries", headers,
            '{"entries":[{"relativePath":"f","sizeBytes":' .. length .. ',"blobDigest":"' .. digest .. '"}]}')
    elseif step == 2 then
        return wrk.format("PUT", versions .. "/" .. version .. "/manifest", headers, '{"manifest":{"name":"p"}}')
    end
    return wrk.format("POST", versions .. "/" .. version .. "/publish", headers, "")
end

function response(status, _, body)
    if status > 299 then
        failed, step = failed + 1, 0
        return
    end
    if step == 0 then version = body:match('"versionId":"([^"]+)"') end
    if step == 3 then published = published + 1 end
    step = (step + 1) % 4
end

function done(summary)
    local all, bad = 0, 0
    for _, thread in ipairs(threads) do
        all, bad = all + thread:get("published"), bad + thread:get("failed")
    end
    print(string.format("RESULT %d %d %f", all, bad, summary.duration / 1e6))
end
