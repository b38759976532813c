package file

// A Path names a file or a directory of this system. Its methods are those of
// Python's pathlib: the ones without a ctx are about the name alone and are those
// of [Pure], which says more about them; the ones with a ctx ask the system.
//
// A Path is a string, in whatever way it was written, and so can be converted and
// used as one. The empty Path is the current directory.
//
// Calls with a ctx fail before any I/O if it is dead, and take a place (see
// [SetLimit]). Their errors are a [trigo.OpError] around what the system said. Unless
// something else is said, a call is done or not done when it returns; a cancel can
// only come before it.
//
// Trio: trio.Path.
type Path string

func (p Path) pure() native { return native(p) }

// PathFromURI returns the path in a file URI. See [FromURI].
func PathFromURI(uri string) (Path, error) { return fromNative(nativeFromURI(uri)) }

func fromNative(p native, err error) (Path, error) { return Path(p), err }

func fromNatives(ps []native) []Path {
	paths := make([]Path, len(ps))
	for i, p := range ps {
		paths[i] = Path(p)
	}
	return paths
}

// String returns p in normal form. See [Pure.String].
func (p Path) String() string { return p.pure().String() }

// Normal returns p in normal form. See [Pure.Normal].
func (p Path) Normal() Path { return Path(p.pure().Normal()) }

// AsPosix returns p with slashes. See [Pure.AsPosix].
func (p Path) AsPosix() string { return p.pure().AsPosix() }

// AsURI returns p as a file URI. See [Pure.AsURI].
func (p Path) AsURI() (string, error) { return p.pure().AsURI() }

// Drive returns the drive of p, nothing on POSIX. See [Pure.Drive].
func (p Path) Drive() string { return p.pure().Drive() }

// Root returns the root of p. See [Pure.Root].
func (p Path) Root() string { return p.pure().Root() }

// Anchor returns drive and root. See [Pure.Anchor].
func (p Path) Anchor() string { return p.pure().Anchor() }

// Parts returns the anchor and the names of p. See [Pure.Parts].
func (p Path) Parts() []string { return p.pure().Parts() }

// Parent returns p without its last name. See [Pure.Parent].
func (p Path) Parent() Path { return Path(p.pure().Parent()) }

// Parents returns the parent, its parent and so on. See [Pure.Parents].
func (p Path) Parents() []Path { return fromNatives(p.pure().Parents()) }

// Name returns the last name. See [Pure.Name].
func (p Path) Name() string { return p.pure().Name() }

// Stem returns the name without its suffix. See [Pure.Stem].
func (p Path) Stem() string { return p.pure().Stem() }

// Suffix returns the last suffix of the name. See [Pure.Suffix].
func (p Path) Suffix() string { return p.pure().Suffix() }

// Suffixes returns all suffixes of the name. See [Pure.Suffixes].
func (p Path) Suffixes() []string { return p.pure().Suffixes() }

// WithName returns p with another last name. See [Pure.WithName].
func (p Path) WithName(name string) (Path, error) { return fromNative(p.pure().WithName(name)) }

// WithStem returns p with another stem. See [Pure.WithStem].
func (p Path) WithStem(stem string) (Path, error) { return fromNative(p.pure().WithStem(stem)) }

// WithSuffix returns p with another suffix. See [Pure.WithSuffix].
func (p Path) WithSuffix(suffix string) (Path, error) {
	return fromNative(p.pure().WithSuffix(suffix))
}

// Join appends others to p; an absolute one replaces it. See [Pure.Join].
func (p Path) Join(others ...string) Path { return Path(p.pure().Join(others...)) }

// IsAbsolute reports whether p needs nothing in front. See [Pure.IsAbsolute].
func (p Path) IsAbsolute() bool { return p.pure().IsAbsolute() }

// IsReserved reports whether the system takes a name in p for something else. See
// [Pure.IsReserved].
func (p Path) IsReserved() bool { return p.pure().IsReserved() }

// Equal reports whether the paths are the same by their names; see [Pure.Equal],
// and [Path.Samefile] for the files that they name.
func (p Path) Equal(other Path) bool { return p.pure().Equal(other.pure()) }

// Key returns a string that is the same for equal paths. See [Pure.Key].
func (p Path) Key() string { return p.pure().Key() }

// Compare orders paths by their names, and is for [slices.SortFunc]. See
// [Pure.Compare].
func (p Path) Compare(other Path) int { return p.pure().Compare(other.pure()) }

// IsRelativeTo reports whether p is other or below it. See [Pure.IsRelativeTo].
func (p Path) IsRelativeTo(other Path) bool { return p.pure().IsRelativeTo(other.pure()) }

// RelativeTo returns the way from other down to p. See [Pure.RelativeTo].
func (p Path) RelativeTo(other Path) (Path, error) {
	return fromNative(p.pure().RelativeTo(other.pure()))
}

// RelativeToWalkUp returns the way from other to p, up and down. See
// [Pure.RelativeToWalkUp].
func (p Path) RelativeToWalkUp(other Path) (Path, error) {
	return fromNative(p.pure().RelativeToWalkUp(other.pure()))
}

// Match reports whether p matches a pattern, from the right. See [Pure.Match].
func (p Path) Match(pattern string) (bool, error) { return p.pure().Match(pattern) }

// MatchCase is [Path.Match] with a choice about case. See [Pure.MatchCase].
func (p Path) MatchCase(pattern string, c Case) (bool, error) {
	return p.pure().MatchCase(pattern, c)
}

// FullMatch reports whether all of p matches a pattern. See [Pure.FullMatch].
func (p Path) FullMatch(pattern string) bool { return p.pure().FullMatch(pattern) }

// FullMatchCase is [Path.FullMatch] with a choice about case. See
// [Pure.FullMatchCase].
func (p Path) FullMatchCase(pattern string, c Case) bool {
	return p.pure().FullMatchCase(pattern, c)
}
