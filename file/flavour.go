package file

// A Flavour is a kind of path: [Posix] or [Windows].
type Flavour interface {
	Posix | Windows
	flavour
}

// flavour is what tells one kind of path from another. The rest is common.
type flavour interface {
	separator() byte
	// isSeparator reports whether c separates names in what people write.
	isSeparator(c byte) bool
	// split cuts a path, written in any way, into the drive, the root and what
	// follows. Together they are the path.
	split(path string) (drive, root, rest string)
	// join joins two paths without normalizing them.
	join(path, next string) string
	// isNormal reports whether path is surely in normal form already.
	isNormal(path string) bool
	// impliedRoot is the root of a path that has a drive and was written
	// without a root.
	impliedRoot(drive string) string
	// isAbsolute is about a normal path.
	isAbsolute(path string) bool
	isReserved(path string) bool
	// key is equal for paths that the system takes for the same.
	key(path string) string
	caseSensitive() bool
	// uri has the authority and the path of a file URI in writing, and the
	// part at its front that is not to be escaped.
	uri(drive, posix string) (prefix, path string)
	// fromURI is the path in what follows "file:" in a URI, still escaped.
	fromURI(uri string) string
}
