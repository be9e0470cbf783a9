( ( trap "" HUP; sleep $TOKEN & ) & ); echo ready; sleep $TOKEN
