package tera_test

import "time"

// hang is what no template may take, on the slowest machine and under the race
// detector: work that grows faster than its template takes longer than this.
const hang = time.Minute
