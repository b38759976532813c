package file

import (
	"context"
	"os"
	"os/user"
	"strings"
)

// Owner returns the name of the user who owns the file; a link is followed. A
// user without a name is [user.UnknownUserIdError]. On Windows it Is
// [errors.ErrUnsupported].
func (p Path) Owner(ctx context.Context) (string, error) {
	return ask(ctx, "owner", p, func(name string) (string, error) {
		uid, _, err := ownerIDs(name)
		if err != nil {
			return "", err
		}
		u, err := user.LookupId(uid)
		if err != nil {
			return "", err
		}
		return u.Username, nil
	})
}

// Group returns the name of the group of the file; a link is followed. A group
// without a name is [user.UnknownGroupIdError]. On Windows it Is
// [errors.ErrUnsupported].
func (p Path) Group(ctx context.Context) (string, error) {
	return ask(ctx, "group", p, func(name string) (string, error) {
		_, gid, err := ownerIDs(name)
		if err != nil {
			return "", err
		}
		g, err := user.LookupGroupId(gid)
		if err != nil {
			return "", err
		}
		return g.Name, nil
	})
}

// Home returns the home directory of the user: $HOME where it is set, or what the
// system says.
func Home(ctx context.Context) (Path, error) {
	return ask(ctx, "home", "~", func(string) (Path, error) { return homeOf("") })
}

// Expanduser replaces a first name of "~" by the home directory of the user, and
// one of "~somebody" by theirs. A user whom the system does not know is
// [user.UnknownUserError].
func (p Path) Expanduser(ctx context.Context) (Path, error) {
	parts := p.Parts()
	if p.Anchor() != "" || len(parts) == 0 || parts[0][0] != '~' {
		if err := ctx.Err(); err != nil {
			return "", deadCtx(ctx, "expanduser", p)
		}
		return p.Normal(), nil
	}
	return ask(ctx, "expanduser", p, func(string) (Path, error) {
		home, err := homeOf(strings.TrimPrefix(parts[0], "~"))
		if err != nil {
			return "", err
		}
		return home.Join(parts[1:]...), nil
	})
}

// homeOf is the home directory of a user, by default of who runs this program.
func homeOf(name string) (Path, error) {
	if name == "" {
		if home, err := os.UserHomeDir(); err == nil && home != "" {
			return Path(home).Normal(), nil
		}
		u, err := user.Current()
		if err != nil {
			return "", err
		}
		return Path(u.HomeDir).Normal(), nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return Path(u.HomeDir).Normal(), nil
}
