package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// forbidden are names of the standard library that may stand only in some kinds of packages, and in tests.
var forbidden = []struct {
	library string
	names   []string
	may     []kind
	reason  string
}{
	{"time", []string{"Now", "Since", "Until"}, []kind{program, bench, testHelp},
		"the clock is a field (Now func() time.Time), set in cmd"},
	{"crypto/rand", []string{"Reader", "Read", "Text", "Int", "Prime"}, []kind{program, bench, testHelp},
		"randomness is a field (Rand io.Reader), set in cmd"},
}

// withSQL are the kinds whose files may hold statements.
var withSQL = []kind{dbSide, writer, outbox, postgres, testHelp, bench}

var (
	statementName = regexp.MustCompile(`^sql[A-Z]`)
	statementText = regexp.MustCompile(`(?s)^\s*(WITH\s+\w+\s+AS|SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s.*`)
	leftOpen      = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)
)

// CheckSource looks at one Go file of ours. name is its file name.
func CheckSource(importPath, name string, content []byte) ([]string, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	k, _, _ := kindOf(importPath)
	test := strings.HasSuffix(name, "_test.go")
	var wrong []string
	say := func(at token.Pos, what, reason string) {
		wrong = append(wrong, fmt.Sprintf("%s/%s:%d: %s: %s", importPath, name, set.Position(at).Line, what, reason))
	}

	for _, group := range file.Comments {
		for _, comment := range group.List {
			if leftOpen.MatchString(comment.Text) {
				say(comment.Pos(), "left open", "what is not done is an issue, not a comment")
			}
		}
	}
	libraries := map[string]string{} // the name in this file → the import path
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		local := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			local = spec.Name.Name
		}
		libraries[local] = path
	}
	prepared := partsOfStatements(file)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if local, ok := n.X.(*ast.Ident); ok && !test {
				for _, rule := range forbidden {
					if libraries[local.Name] == rule.library && slices.Contains(rule.names, n.Sel.Name) && !slices.Contains(rule.may, k) {
						say(n.Pos(), local.Name+"."+n.Sel.Name, rule.reason)
					}
				}
			}
			if local, ok := n.X.(*ast.Ident); ok && (test || k == testHelp) && skips(local.Name, n.Sel.Name) {
				say(n.Pos(), local.Name+"."+n.Sel.Name, "a test that can skip itself passes where it should fail")
			}
		case *ast.ValueSpec:
			for _, ident := range n.Names {
				if statementName.MatchString(ident.Name) && !test && !slices.Contains(withSQL, k) {
					say(ident.Pos(), ident.Name, "SQL stands in …db")
				}
			}
		case *ast.BasicLit:
			if n.Kind != token.STRING || test {
				break
			}
			text, err := strconv.Unquote(n.Value)
			if err != nil || !statementText.MatchString(text) {
				break
			}
			switch {
			case !slices.Contains(withSQL, k):
				say(n.Pos(), "a statement", "SQL stands in …db")
			case (k == dbSide || k == writer || k == outbox) && !prepared[n]:
				say(n.Pos(), "a statement that is no part of a constant sqlXxx", "a test prepares every statement, and finds it by its name")
			}
		}
		return true
	})
	return wrong, nil
}

// partsOfStatements are the nodes of the file's constants sqlXxx and of the constants that these are put together from.
func partsOfStatements(file *ast.File) map[ast.Node]bool {
	values := map[string][]ast.Expr{}
	var open []ast.Expr // still to be looked at
	ast.Inspect(file, func(n ast.Node) bool {
		if decl, ok := n.(*ast.GenDecl); ok && decl.Tok == token.CONST {
			for _, spec := range decl.Specs {
				spec := spec.(*ast.ValueSpec)
				for _, name := range spec.Names {
					values[name.Name] = spec.Values
					if statementName.MatchString(name.Name) {
						open = append(open, spec.Values...)
					}
				}
			}
		}
		return true
	})
	parts := map[ast.Node]bool{}
	for len(open) > 0 {
		value := open[0]
		open = open[1:]
		ast.Inspect(value, func(part ast.Node) bool {
			if ident, ok := part.(*ast.Ident); ok && !parts[part] {
				open = append(open, values[ident.Name]...)
			}
			if part != nil {
				parts[part] = true
			}
			return true
		})
	}
	return parts
}

// skips says whether a call on a testing.T, B, F or TB, by the names that it always has, skips the test.
func skips(receiver, method string) bool {
	return slices.Contains([]string{"t", "b", "f", "tb"}, receiver) && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, method) ||
		receiver == "testing" && method == "Short"
}
