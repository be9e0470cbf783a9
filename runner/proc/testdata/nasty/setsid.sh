# needs setsid
setsid sh -c 'setsid sleep $TOKEN & sleep $TOKEN' & echo ready; wait
