# needs setsid
(cd /; setsid sh -c 'exec sleep $TOKEN' </dev/null >/dev/null 2>&1 &); echo ready; sleep $TOKEN
