cd /; (cd /tmp; sleep $TOKEN) & echo ready; sleep $TOKEN
