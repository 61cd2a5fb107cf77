package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// static are our files that never change under one name: the name holds their hash.
type static struct {
	byName map[string]string // "style.css" → "style.1a2b3c4d5e6f.css"
	files  map[string][]byte // by the name with the hash
}

func readStatic(files fs.FS) (*static, error) {
	files, err := sub(files, "static")
	if err != nil {
		return nil, err
	}
	st := &static{map[string]string{}, map[string][]byte{}}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("web: static: %w", err)
	}
	for _, e := range entries {
		b, err := fs.ReadFile(files, e.Name())
		if err != nil {
			return nil, fmt.Errorf("web: static: %w", err)
		}
		sum := sha256.Sum256(b)
		ext := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		st.byName[e.Name()], st.files[hashed] = hashed, b
	}
	return st, nil
}

// url is the address of a file; it panics for a file that does not exist, which a test of the page would show.
func (st *static) url(name string) string {
	hashed, ok := st.byName[name]
	if !ok {
		panic("web: no static file " + name)
	}
	return "/static/" + hashed
}

func (st *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := chi.URLParam(r, "file")
	b, ok := st.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	serveFile(w, r, name, b, "public, max-age=31536000, immutable")
}

// file serves one file under an address that cannot hold a hash.
func (st *static) file(name string) http.HandlerFunc {
	b := st.files[st.byName[name]]
	return func(w http.ResponseWriter, r *http.Request) { serveFile(w, r, name, b, "public, max-age=86400") }
}

func serveFile(w http.ResponseWriter, r *http.Request, name string, b []byte, cache string) {
	types := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
	if t, ok := types[path.Ext(name)]; ok {
		w.Header().Set("Content-Type", t)
	} else {
		w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	}
	w.Header().Set("Cache-Control", cache)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}
