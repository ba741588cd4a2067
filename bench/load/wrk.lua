-- What wrk sends and how it tells the result: wrk ... -s wrk.lua URL -- [cookies FILE | post BYTES]
local prepared, at = {}, 0

function init(args)
  if args[1] == "post" then
    wrk.method, wrk.body = "POST", string.rep("x", tonumber(args[2]))
  elseif args[1] == "cookies" then
    for line in io.lines(args[2]) do
      wrk.headers["Cookie"] = line
      prepared[#prepared + 1] = wrk.format()
    end
    -- Clients in turn, one cookie line each. Only with this function does wrk call Lua for each request.
    function request()
      at = at % #prepared + 1
      return prepared[at]
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"tookUs":%d,"p50Us":%d,"p99Us":%d,"p999Us":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
