package organisation_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/organisation"
)

// referral is what a medical institution does by its sort (cabinetdb), without being given a duty.
const referral = "referral"

var inSQL = regexp.MustCompile(`\bduty = '(\w+)'`)

// Components do not import each other, so pages and statements write the duties out. Each must be one that there is, and each that there is
// must be asked for.
func TestDutiesAreCalledTheSameEverywhere(t *testing.T) {
	asked := map[string][]string{} // by duty, where
	consts := map[string]map[string]string{}
	files := map[string]*ast.File{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range inSQL.FindAllSubmatch(content, -1) {
			asked[string(m[1])] = append(asked[string(m[1])], path)
		}
		dir := filepath.Dir(path)
		if !strings.HasSuffix(dir, "web") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, content, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files[path] = file
		if consts[dir] == nil {
			consts[dir] = map[string]string{}
		}
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				for i, name := range value.Names {
					if i < len(value.Values) {
						consts[dir][name.Name] = literal(value.Values[i])
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, file := range files {
		dir := filepath.Dir(path)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			// web.Shell.Duty asks for a duty, and in web itself Viewer.Has does.
			if !ok || method.Sel.Name != "Duty" && !(method.Sel.Name == "Has" && dir == filepath.Join("..", "web")) {
				return true
			}
			duty := literal(call.Args[0])
			if name, ok := call.Args[0].(*ast.Ident); ok {
				if name.Name == "duty" && dir == filepath.Join("..", "web") {
					return true // Shell.Duty itself, which asks for what it was told
				}
				duty = consts[dir][name.Name]
			}
			asked[duty] = append(asked[duty], path)
			return true
		})
	}
	for duty, where := range asked {
		if duty != referral && !slices.Contains(organisation.Duties, organisation.Duty(duty)) {
			t.Errorf("%v ask for the duty %q, which there is not", where, duty)
		}
	}
	for _, duty := range append(slices.Clone(organisation.Duties), referral) {
		if len(asked[string(duty)]) == 0 {
			t.Errorf("nobody asks for the duty %s", duty)
		}
	}
}

// literal is the text of a string in quotes, or nothing.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(lit.Value) // nothing, if it is no string
	return text
}
