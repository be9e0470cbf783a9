sh -c 'kill -STOP $$' & echo ready; kill -STOP $$; sleep $TOKEN
