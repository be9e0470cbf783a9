echo ready; exec sh -c 'exec sleep $TOKEN'
