#!/bin/sh
# Runs the commands between <!-- demo --> and <!-- /demo --> of a page, exactly as they stand there, in a temporary
# folder that is removed again: the first screen of README.md cannot rot.
#
# A command is one line, its continuation lines (\) and its here-document. The first one that fails ends the run.
set -eu

page=$(realpath "${1:-README.md}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
mkdir "$folder/work"

awk '
  /^<!-- demo -->/   { demo = 1 }
  /^<!-- \/demo -->/ { demo = 0 }
  demo && /^```sh/   { shell = 1; next }
  /^```/             { shell = 0 }
  demo && shell && (NF || command != "") {
    command = command $0 "\n"
    if (heredoc != "") {
      if ($0 == heredoc) { heredoc = "" }
    } else if (match($0, /<<[ ]*\047?[A-Za-z_]+/)) {
      heredoc = substr($0, RSTART, RLENGTH)
      gsub(/[^A-Za-z_]/, "", heredoc)
    }
    if (heredoc != "" || /\\$/) { next }
    shown = command
    gsub(/\047/, "\047\\\047\047", shown)   # close the quote, an escaped quote, open it again
    comment = /^#/
    printf "printf \047%s%s%%s\047 \047%s\047\n%s", (after_comment ? "" : "\\n"), (comment ? "" : "$ "), shown, command
    after_comment = comment
    command = ""
  }
' "$page" > "$folder/commands.sh"

[ -s "$folder/commands.sh" ] || { echo "$page has no commands between <!-- demo --> and <!-- /demo -->" >&2; exit 1; }

unset OCTOPLAN_ENV OCTOPLAN_SANDBOX OCTOPLAN_LEDGER_KEY OCTOPLAN_ACTOR
cd "$folder/work"
sh -eu "$folder/commands.sh" </dev/null
