package file

// separator is that of the paths of this system.
const separator = `\`

// native is a path of this system.
type native = WindowsPath

func nativeFromURI(uri string) (native, error) { return FromURI[Windows](uri) }
