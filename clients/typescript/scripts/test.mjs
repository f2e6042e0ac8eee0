// Build, tests, type check, sizes; ends with "N passed, N failed". Arguments name the test files to run, and nothing else then.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { run } from "node:test";
import { pipeline } from "node:stream/promises";
import { spec } from "node:test/reporters";
import { build } from "esbuild";
import { forBrowsers, forNode } from "./bundle.mjs";

const chosen = process.argv.slice(2);
const step = (...command) => spawnSync(command[0], command.slice(1), { stdio: "inherit" }).status === 0;
const tests = readdirSync("test").filter((name) => name.endsWith(".test.ts") && (!chosen.length || chosen.some((part) => name.includes(part))));

const failures = [];
const check = (...script) => step(...script) || failures.push(script.join(" "));

check("node", "scripts/build.mjs");
rmSync("build", { recursive: true, force: true });
await build({
  ...forNode,
  // The page is a file of its own, so that it is evaluated before the frameworks that look for it.
  entryPoints: [...tests, "support/dom.ts"].map((name) => `test/${name}`),
  outdir: "build",
  bundle: true,
  splitting: true,
  packages: "external",
  platform: "node",
  target: "node20",
  format: "esm",
  sourcemap: true,
});
// What runs in a browser: the same cases, on what the browser has.
await build({
  entryPoints: readdirSync("test/pages").filter((name) => !/^(assert|ws)\./.test(name)).map((name) => `test/pages/${name}`),
  outdir: "build/site",
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxDev: false,
  define: { ...forBrowsers.define, "process.env.NODE_ENV": '"development"', __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false" },
  alias: { ws: "./test/pages/ws.ts", "node:assert/strict": "./test/pages/assert.ts" },
});

let passed = 0;
let failed = 0;
const stream = run({ files: tests.map((name) => `build/${name.replace(/\.ts$/, ".js")}`), concurrency: 2, timeout: 1_200_000 });
stream.on("test:pass", ({ details, skip }) => (passed += details.type === "suite" || skip ? 0 : 1));
stream.on("test:fail", ({ details }) => (failed += details.type === "suite" ? 0 : 1));
await pipeline(stream.compose(new spec()), process.stdout, { end: false });

if (!chosen.length) {
  check("node", "node_modules/typescript/bin/tsc", "--noEmit");
  check("node", "scripts/size.mjs");
  check("node", "scripts/demo.mjs", "--check");
}
for (const failure of failures) console.error(`failed: ${failure}`);
failed += failures.length;

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
