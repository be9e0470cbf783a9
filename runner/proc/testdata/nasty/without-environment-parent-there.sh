# needs setsid
env -i setsid sh -c 'sleep $0; :' "$TOKEN" >/dev/null 2>&1 & echo ready; wait; sleep $TOKEN
