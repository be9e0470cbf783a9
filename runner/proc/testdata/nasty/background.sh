sleep $TOKEN & sleep $TOKEN & echo ready; wait
