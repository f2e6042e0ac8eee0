#!/usr/bin/env bash
# Builds everything and runs every test, from a fresh clone. Needs the .NET SDK that global.json names, and Node for the TypeScript client.
# Arguments go to each .NET test program, and leave the client out, such as: ./test.sh -class '*SseEventParser*'
set -euo pipefail
cd "$(dirname "$0")"

configuration=Release
dotnet build Perennial.slnx --configuration "$configuration" --nologo --verbosity quiet

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
for project in tests/*.Tests/; do
    name=$(basename "$project")
    "tests/$name/bin/$configuration/net10.0/$name" -noLogo -noColor "$@" 2>&1 | tee -a "$log" || status=1
done

if [ $# -eq 0 ]; then
    if command -v npm >/dev/null; then
        (cd clients/typescript && npm ci --silent && npm test) 2>&1 | tee -a "$log" || status=1
    elif [ "${CI:-}" = true ]; then
        echo "clients/typescript: Node is not installed" && status=1
    else
        echo "clients/typescript: SKIPPED, Node is not installed"
    fi
fi

# What failed again, at the end, where a long log is looked at first.
grep -A 25 -E '\[FAIL\]|^ *✖ ' "$log" | sed 's/^/again: /' || true

# xUnit closes each program with one line of totals, the client's tests with one of their own.
awk '
    /Total: [0-9]+, Errors: / {
        for (i = 1; i < NF; i++) {
            if ($i == "Total:") total += $(i + 1)
            if ($i == "Errors:" || $i == "Failed:") failed += $(i + 1)
            if ($i == "Skipped:") skipped += $(i + 1)
            if ($i == "Not" && $(i + 1) == "Run:") notrun += $(i + 2)
        }
    }
    /^[0-9]+ passed, [0-9]+ failed$/ { total += $1 + $3; failed += $3 }
    END { printf "%d passed, %d failed, %d skipped\n", total - failed - skipped - notrun, failed, skipped }
' "$log"
exit "$status"
