set -m; sleep $TOKEN & (trap "" TERM; while :; do sleep 0.1; done) & echo ready; wait
