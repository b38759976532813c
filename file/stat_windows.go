package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

func isMount(name string) (bool, error) {
	full, err := filepath.Abs(name)
	if err != nil {
		return false, err
	}
	if p := WindowsPath(full); p.Drive() != "" && p.Name() == "" { // C:\, \\server\share\
		return true, nil
	}
	from, err := windows.UTF16PtrFromString(full)
	if err != nil {
		return false, err
	}
	volume := make([]uint16, len(full)+windows.MAX_PATH)
	if err := windows.GetVolumePathName(from, &volume[0], uint32(len(volume))); err != nil {
		return false, err
	}
	return strings.EqualFold(strings.TrimRight(windows.UTF16ToString(volume), `\`), strings.TrimRight(full, `\`)), nil
}

func isJunction(name string) (bool, error) {
	from, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return false, err
	}
	var data windows.Win32finddata
	find, err := windows.FindFirstFile(from, &data)
	if err != nil {
		return false, err
	}
	windows.FindClose(find)
	return data.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0 &&
		data.Reserved0 == windows.IO_REPARSE_TAG_MOUNT_POINT, nil
}

func lchmod(name string, mode fs.FileMode) error {
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return errors.ErrUnsupported
	}
	return os.Chmod(name, mode)
}
