trap "" TERM HUP INT; sleep $TOKEN & echo ready; while :; do sleep 0.1; done
