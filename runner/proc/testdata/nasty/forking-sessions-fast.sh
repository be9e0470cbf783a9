# needs perl
perl -e 'use POSIX; fork or exec "sh","-c","echo ready; exec sleep \$TOKEN"; open F, ">>lives"; while (1) { fork and exit; setsid; syswrite F, "x" }'; sleep $TOKEN
