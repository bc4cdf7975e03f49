package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"rearm/impl/auth"
	"rearm/openapi/wire"
)

// minPassword is how many characters a password has at least.
const minPassword = 8

// user changes the users file: rearm user add, rearm user remove.
func user(_ context.Context, p program, args []string) error {
	return changeUsers(p, os.Stdin, args)
}

// changeUsers is user with the place that passwords are read from.
func changeUsers(p program, stdin *os.File, args []string) error {
	action := ""
	if len(args) > 0 {
		action, args = args[0], args[1:]
	}
	switch action {
	case "add":
		return addUser(p, stdin, args)
	case "remove":
		return removeUser(p, args)
	case "help", "--help", "-h":
		fmt.Fprint(p.stdout, "Usage: rearm user add NAME --role ROLE [flags]\n       rearm user remove NAME [flags]\n\n--help behind each lists its flags.\n")
		return pflag.ErrHelp
	}
	return fmt.Errorf("%w: rearm user add NAME, or rearm user remove NAME", errConfig)
}

// addUser adds a user whose password comes from the terminal, or is a line of the standard input. It is never an argument, which
// others on the machine could see.
func addUser(p program, stdin *os.File, args []string) error {
	c, u, replace := defaults(), &auth.User{}, false
	flags := c.flags("user add NAME", "users-file")
	flags.Var(roles{&u.Roles}, "role", "what the user may do: "+roleNames()+"; may be given several times")
	flags.StringArrayVar(&u.Tenants, "tenant", nil, "a tenant whose things the user may see; may be given several times. None: every tenant")
	flags.Var(toggle(&u.Untenanted), "untenanted", "the user may see what belongs to no tenant, alone or beside the tenants")
	flags.Var(toggle(&replace), "replace", "take the place of the user of this name")
	flags.Lookup("untenanted").NoOptDefVal, flags.Lookup("replace").NoOptDefVal = "true", "true"
	name, err := readNamed(p, flags, args)
	if err != nil {
		return err
	}
	u.Name = name
	if u.Untenanted && u.Tenants == nil {
		u.Tenants = []string{}
	}
	if len(u.Roles) == 0 {
		return fmt.Errorf("%w: --role is needed: %s", errConfig, roleNames())
	}
	password, err := readPassword(p.stderr, stdin)
	if err != nil {
		return unfitError{err}
	}
	if u.Hash, err = auth.HashPassword(password); err != nil {
		return err
	}
	if err := auth.AddUser(c.Auth.UsersFile, u, replace); err != nil {
		return unfitError{err}
	}
	_, err = fmt.Fprintf(p.stdout, "%s is in %s\n", u.Name, c.Auth.UsersFile)
	return err
}

// removeUser removes a user.
func removeUser(p program, args []string) error {
	c := defaults()
	name, err := readNamed(p, c.flags("user remove NAME", "users-file"), args)
	if err != nil {
		return err
	}
	if err := auth.RemoveUser(c.Auth.UsersFile, name); err != nil {
		return unfitError{err}
	}
	_, err = fmt.Fprintf(p.stdout, "%s is no longer in %s\n", name, c.Auth.UsersFile)
	return err
}

// unfitError is an error of what somebody asks for. It has words of its own, and the exit code of a wrong setting.
type unfitError struct{ error }

// Is makes it an errConfig.
func (unfitError) Is(target error) bool { return target == errConfig }

// readNamed reads the flags of a command that takes one name beside them.
func readNamed(p program, set *pflag.FlagSet, args []string) (name string, err error) {
	if err := readFlags(p, set, args); err != nil {
		return "", err
	}
	if set.NArg() != 1 {
		return "", fmt.Errorf("%w: one name is needed, not %d", errConfig, set.NArg())
	}
	return set.Arg(0), nil
}

// readPassword asks twice on a terminal, where nothing is shown; else it reads one line.
func readPassword(prompt io.Writer, stdin *os.File) (string, error) {
	fd := int(stdin.Fd())
	if !term.IsTerminal(fd) {
		line, err := bufio.NewReader(stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return checkPassword(strings.TrimRight(line, "\r\n"))
	}
	var typed [2]string
	for i, question := range []string{"Password: ", "Once more: "} {
		fmt.Fprint(prompt, question)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(prompt)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two passwords differ")
	}
	return checkPassword(typed[0])
}

func checkPassword(password string) (string, error) {
	if !utf8.ValidString(password) {
		return "", errors.New("the password is no UTF-8")
	}
	if utf8.RuneCountInString(password) < minPassword {
		return "", fmt.Errorf("the password has less than %d characters", minPassword)
	}
	return password, nil
}

// roles is a flag that adds a role each time that it is given.
type roles struct{ at *[]wire.Role }

// Set implements pflag.Value.
func (r roles) Set(s string) error {
	for one := range strings.SplitSeq(s, ",") {
		role, err := wire.ParseRole(one)
		if err != nil {
			return err
		}
		*r.at = append(*r.at, role)
	}
	return nil
}

// String implements pflag.Value.
func (r roles) String() string { return "none" }

// Type implements pflag.Value.
func (r roles) Type() string { return "role" }

func roleNames() string {
	var list []string
	for _, role := range wire.Roles() {
		list = append(list, string(role))
	}
	return strings.Join(list, ", ")
}
