package runner

import (
	"net/http"
	"path"
	"strings"
)

// contentTypes are what files are by the end of their names: the same on every
// machine, whatever its own table says.
var contentTypes = map[string]string{
	".txt": "text/plain", ".log": "text/plain", ".md": "text/markdown", ".markdown": "text/markdown", ".csv": "text/csv",
	".tsv": "text/tab-separated-values", ".html": "text/html", ".htm": "text/html", ".css": "text/css", ".js": "text/javascript",
	".mjs": "text/javascript", ".diff": "text/x-diff", ".patch": "text/x-diff", ".ics": "text/calendar",

	".json": "application/json", ".jsonl": "application/jsonl", ".yaml": "application/yaml", ".yml": "application/yaml",
	".xml": "application/xml", ".toml": "application/toml", ".sql": "application/sql", ".pdf": "application/pdf",
	".wasm": "application/wasm", ".zip": "application/zip", ".gz": "application/gzip", ".tgz": "application/gzip",
	".tar": "application/x-tar", ".bz2": "application/x-bzip2", ".xz": "application/x-xz", ".zst": "application/zstd",
	".7z": "application/x-7z-compressed", ".jar": "application/java-archive", ".sqlite": "application/vnd.sqlite3",
	".parquet": "application/vnd.apache.parquet", ".xhtml": "application/xhtml+xml",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",

	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
	".avif": "image/avif", ".bmp": "image/bmp", ".tif": "image/tiff", ".tiff": "image/tiff", ".ico": "image/x-icon",
	".svg": "image/svg+xml", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".wav": "audio/wav", ".mp4": "video/mp4", ".webm": "video/webm",
}

// contentType is what a file is by its name, else by how it begins.
func contentType(name string, head []byte) string {
	kind := contentTypes[strings.ToLower(path.Ext(name))]
	switch {
	case kind == "":
		return http.DetectContentType(head)
	case strings.HasPrefix(kind, "text/"):
		return kind + "; charset=utf-8"
	}
	return kind
}
