# needs nohup
nohup sleep $TOKEN >/dev/null 2>&1 & echo ready; wait
