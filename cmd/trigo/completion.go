package main

import (
	"fmt"
	"os"
	"strings"

	"trigo/endpoint"
)

// runCompletion prints the completion for a shell: a list of words, made from
// the tables that the command line is parsed with, and a few lines that choose
// from it. After a comma the options of the layer are offered.
func runCompletion(o *options, out *console) error {
	if err := o.takes(1, 1, "completion bash|zsh|fish|pwsh"); err != nil {
		return err
	}
	scripts := map[string]func() string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion, "pwsh": pwshCompletion}
	script, ok := scripts[o.args[0]]
	if !ok {
		return usage("want bash, zsh, fish or pwsh", "no completion for %q", o.args[0])
	}
	_, err := os.Stdout.WriteString(script())
	return err
}

// words are what an argument may begin with.
func words() (flags, commandNames, layers []string) {
	for _, f := range defaults().flags() {
		flags = append(flags, f.dashed())
	}
	for _, c := range commands()[1:] {
		commandNames = append(commandNames, c.name)
	}
	for _, k := range endpoint.Kinds() {
		layers = append(layers, k.Name)
	}
	return flags, commandNames, layers
}

// layerOptions are "LAYER KEY= KEY= ...", a line for each layer with options.
func layerOptions() []string {
	var lines []string
	for _, k := range endpoint.Kinds() {
		line := k.Name
		for _, o := range k.Options {
			switch {
			case o.Type == endpoint.Bool, o.Type == endpoint.Place:
				line += " " + o.Key
			case len(o.Choices) > 0:
				for _, choice := range o.Choices {
					line += " " + o.Key + "=" + choice
				}
			default:
				line += " " + o.Key + "="
			}
		}
		if line != k.Name {
			lines = append(lines, line)
		}
	}
	return lines
}

// A word is an address that is being typed. What follows its last + is the layer;
// if that has a comma, the options of the layer follow it.

func bashCompletion() string {
	flags, names, layers := words()
	return fmt.Sprintf(`# trigo completion bash >/etc/bash_completion.d/trigo
_trigo() {
	local word=${COMP_LINE:0:COMP_POINT} head last layer options=
	word=${word##* }
	COMPREPLY=()
	if [[ $word == -* && $word != - ]]; then
		COMPREPLY=($(compgen -W %q -- "$word"))
		return
	fi
	last=${word##*+}
	if [[ $last == *,* ]]; then
		layer=${last%%%%[:,]*}
		case $layer in
%s		esac
		head=${word%%,*},
		last=${last##*,}
	else
		head=${word%%"$last"}
		options=%q
		[[ $word == *+* ]] || options+=" %s"
	fi
	local cut= char reply
	for char in : =; do # bash breaks words there, and wants what follows only
		[[ $COMP_WORDBREAKS == *"$char"* && $word == *"$char"* ]] || continue
		reply=${word%%"$char"*}$char
		((${#reply} > ${#cut})) && cut=$reply
	done
	for reply in $(compgen -W "$options" -- "$last"); do
		reply=$head$reply
		COMPREPLY+=("${reply#"$cut"}")
	done
	compopt -o nospace
}
complete -F _trigo -o default trigo
`, strings.Join(flags, " "), cases("\t\t%s) options=%q ;;\n"), strings.Join(layers, " "), strings.Join(names, " "))
}

func cases(format string) string {
	var b strings.Builder
	for _, line := range layerOptions() {
		layer, options, _ := strings.Cut(line, " ")
		fmt.Fprintf(&b, format, layer, options)
	}
	return b.String()
}

func zshCompletion() string {
	flags, names, layers := words()
	return fmt.Sprintf(`#compdef trigo
# trigo completion zsh >"${fpath[1]}/_trigo"
_trigo() {
	local word=$PREFIX last layer
	local -a options
	if [[ $word == -* && $word != - ]]; then
		compadd -- %s
		return
	fi
	last=${word##*+}
	if [[ $last == *,* ]]; then
		layer=${last%%%%[:,]*}
		case $layer in
%s		esac
		compset -P '*,'
	else
		options=(%s)
		[[ $word == *+* ]] || options+=(%s)
		compset -P '*+'
	fi
	compadd -S '' -- $options
	_files
}
compdef _trigo trigo
`, strings.Join(flags, " "), cases("\t\t%s) options=(%s) ;;\n"), strings.Join(layers, " "), strings.Join(names, " "))
}

func fishCompletion() string {
	_, names, layers := words()
	var b strings.Builder
	b.WriteString("# trigo completion fish >~/.config/fish/completions/trigo.fish\n")
	for _, f := range defaults().flags() {
		if f.help == "" {
			continue
		}
		kind := "-l"
		if !strings.HasPrefix(f.dashed(), "--") {
			kind = "-o" // as -vv is
		}
		value := ""
		if f.arg != "" {
			value = " -r"
		}
		if len(f.choices) > 0 {
			value = " -x -a " + quoted(strings.Join(f.choices, " "))
		}
		fmt.Fprintf(&b, "complete -c trigo %s %s%s -d %s\n", kind, f.name, value, quoted(f.help))
	}
	for _, name := range names {
		fmt.Fprintf(&b, "complete -c trigo -n __fish_use_subcommand -a %s\n", name)
	}
	fmt.Fprintf(&b, `function __trigo_addresses
	set -l word (commandline -ct)
	set -l last (string replace -r '.*\+' '' -- $word)
	set -l options %s
	set -l head (string replace -r '[^+]*$' '' -- $word)
	if string match -q '*,*' -- $last
		set head (string replace -r '[^,]*$' '' -- $word)
		switch (string replace -r '[:,].*' '' -- $last)
%s			case '*'
				set options
		end
	end
	for option in $options
		echo $head$option
	end
end
complete -c trigo -a '(__trigo_addresses)'
`, strings.Join(layers, " "), cases("\t\t\tcase %s\n\t\t\t\tset options %s\n"))
	return b.String()
}

// quoted is s as one word of fish.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

func pwshCompletion() string {
	flags, names, layers := words()
	list := func(words []string) string { return "'" + strings.Join(words, "', '") + "'" }
	var table strings.Builder
	for _, line := range layerOptions() {
		fields := strings.Fields(line)
		fmt.Fprintf(&table, "\t'%s' = @(%s)\n", fields[0], list(fields[1:]))
	}
	return fmt.Sprintf(`# trigo completion pwsh | Out-String | Invoke-Expression
$trigoOptions = @{
%s}
Register-ArgumentCompleter -Native -CommandName trigo -ScriptBlock {
	param($word, $ast, $position)
	if ($word -like '-?*') {
		@(%s) | Where-Object { $_ -like "$word*" }
		return
	}
	$last = ($word -split '\+')[-1]
	$head = $word.Substring(0, $word.Length - $last.Length)
	$options = @(%s)
	if ($head -eq '') { $options += @(%s) }
	if ($last -like '*,*') {
		$options = $trigoOptions[($last -split '[:,]')[0]]
		$head = $word.Substring(0, $word.LastIndexOf(',') + 1)
		$last = ($last -split ',')[-1]
	}
	$options | Where-Object { $_ -like "$last*" } | ForEach-Object { $head + $_ }
}
`, table.String(), list(flags), list(layers), list(names))
}
