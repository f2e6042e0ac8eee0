import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

/** Which files of src each file imports, types included. */
const imports = new Map(readdirSync("src").map((file) => [
  file.replace(/\.ts$/, ""),
  [...readFileSync(`src/${file}`, "utf8").matchAll(/from "\.\/([\w-]+)\.js"/g)].map(([, name]) => name!),
]));

test("No module imports itself over others", () => {
  const done = new Set<string>();
  for (const name of imports.keys()) visit(name, []);

  function visit(name: string, path: readonly string[]): void {
    assert.ok(!path.includes(name), [...path.slice(path.indexOf(name)), name].join(" > "));
    if (done.has(name)) return;
    for (const next of imports.get(name)!) visit(next, [...path, name]);
    done.add(name);
  }
});
