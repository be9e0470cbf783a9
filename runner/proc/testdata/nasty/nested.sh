sh -c 'sh -c "sleep $TOKEN & echo ready; wait" & wait' & wait
