#!/usr/bin/env bash
# Builds everything and runs every test, from a fresh clone. Needs the .NET SDK that global.json names.
# Arguments go to each test program, such as: ./test.sh -class '*SseEventParser*'
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

# xUnit closes each program with one line of totals.
awk '
    /Total: [0-9]+, Errors: / {
        for (i = 1; i < NF; i++) {
            if ($i == "Total:") total += $(i + 1)
            if ($i == "Errors:" || $i == "Failed:") failed += $(i + 1)
            if ($i == "Skipped:") skipped += $(i + 1)
            if ($i == "Not" && $(i + 1) == "Run:") notrun += $(i + 2)
        }
    }
    END { printf "%d passed, %d failed, %d skipped\n", total - failed - skipped - notrun, failed, skipped }
' "$log"
exit "$status"
