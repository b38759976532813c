package policy

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// modulePath is the path of the module in import declarations.
const modulePath = "trigo"

// module is everything that the rules look at: the text files of the module,
// and what the parser made of those that are Go.
type module struct {
	fset  *token.FileSet
	texts map[string]string // by path from the root of the module, with slashes
	files []*file           // the Go files, sorted by path; not those in testdata
}

// file is a Go file.
type file struct {
	*ast.File
	path string // from the root of the module, with slashes
	pkg  string // import path of its directory
	test bool   // named _test.go
	fset *token.FileSet
}

// thisModule returns the module that this package belongs to.
func thisModule(t *testing.T) *module {
	m, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var loadOnce = sync.OnceValues(func() (*module, error) {
	root, err := findRoot()
	if err != nil {
		return nil, err
	}
	texts, err := readTexts(root)
	if err != nil {
		return nil, err
	}
	return newModule(texts)
})

// findRoot walks up to the directory that holds go.mod.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", fs.ErrNotExist
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// readTexts reads the files below root that belong to the module and are text.
func readTexts(root string) (map[string]string, error) {
	texts := map[string]string{}
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := strings.HasPrefix(d.Name(), ".") && name != "." && name != ".ci"
			_, statErr := fs.Stat(tree, path.Join(name, "go.mod"))
			if nested := name != "." && statErr == nil; hidden || nested {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20 {
			return err
		}
		content, err := fs.ReadFile(tree, name)
		if err != nil || bytes.IndexByte(content, 0) >= 0 {
			return err
		}
		texts[name] = string(content)
		return nil
	})
	return texts, err
}

func newModule(texts map[string]string) (*module, error) {
	m := &module{fset: token.NewFileSet(), texts: texts}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if !strings.HasSuffix(name, ".go") || strings.Contains("/"+name, "/testdata/") {
			continue
		}
		tree, err := parser.ParseFile(m.fset, name, texts[name], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		m.files = append(m.files, &file{
			File: tree,
			path: name,
			pkg:  path.Join(modulePath, path.Dir(name)),
			test: strings.HasSuffix(name, "_test.go"),
			fset: m.fset,
		})
	}
	return m, nil
}

// line returns the line of a position in f.
func (f *file) line(p token.Pos) int { return f.fset.Position(p).Line }

// imports returns the import paths of f and the specs they stand in.
func (f *file) imports() map[string]*ast.ImportSpec {
	specs := map[string]*ast.ImportSpec{}
	for _, spec := range f.Imports {
		specs[strings.Trim(spec.Path.Value, "`\"")] = spec
	}
	return specs
}

// isFrom reports whether x is the name of a package-level object of another
// package: isFrom(x, "time", "Sleep").
func (f *file) isFrom(x ast.Expr, pkg, name string) bool {
	s, ok := x.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	spec := f.imports()[pkg]
	if spec == nil {
		return false
	}
	local := path.Base(pkg)
	if spec.Name != nil {
		local = spec.Name.Name
	}
	id, ok := s.X.(*ast.Ident)
	return ok && id.Name == local
}

// owner names the declaration around p, for exemptions: "trigo/nursery.Run",
// "trigo/nursery.Nursery.Go", "trigo/nursery.Errors".
func (f *file) owner(p token.Pos) string {
	for _, decl := range f.Decls {
		if p < decl.Pos() || decl.End() <= p {
			continue
		}
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil {
				return f.pkg + "." + receiver(d) + "." + d.Name.Name
			}
			return f.pkg + "." + d.Name.Name
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if p < spec.Pos() || spec.End() <= p {
					continue
				}
				switch s := spec.(type) {
				case *ast.TypeSpec:
					return f.pkg + "." + s.Name.Name
				case *ast.ValueSpec:
					return f.pkg + "." + s.Names[0].Name
				}
			}
		}
	}
	return f.pkg
}

// receiver returns the name of the type that a method belongs to.
func receiver(d *ast.FuncDecl) string {
	x := d.Recv.List[0].Type
	for {
		switch r := x.(type) {
		case *ast.StarExpr:
			x = r.X
		case *ast.IndexExpr:
			x = r.X
		case *ast.IndexListExpr:
			x = r.X
		case *ast.ParenExpr:
			x = r.X
		case *ast.Ident:
			return r.Name
		default:
			return ""
		}
	}
}
