// Makes dist of src: one ES module for each entry, what they share beside them, source maps, and types. The same again in dist/node for Node.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { build } from "esbuild";
import { bundled, entryNames, forBrowsers, forNode, internalNames } from "./bundle.mjs";

rmSync("dist", { recursive: true, force: true });
const { status } = spawnSync("node", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

const shortened = new RegExp(`\\b(${internalNames.join("|")})\\b(?=[?]?[:(<])`);
const shown = reachable(entryNames);
for (const name of readdirSync("dist").map((file) => file.replace(/\.d\.ts$/, ""))) {
  if (!shown.has(name)) rmSync(`dist/${name}.d.ts`);
}
for (const name of shown) {
  const [, found] = shortened.exec(types(name)) ?? [];
  if (found) throw new Error(`${found}: a name that the build shortens stands in a public type, ${name}.d.ts. Take it out of scripts/bundle.mjs.`);
}

const protocol = readFileSync("../../docs/protocol.md", "utf8");
const spoken = internalNames.find((name) => protocol.includes(`"${name}":`));
if (spoken) throw new Error(`${spoken}: a name that the build shortens is one of the protocol. Take it out of scripts/bundle.mjs.`);

let mangleCache = {};
for (const [outdir, platform] of [["dist", forBrowsers], ["dist/node", forNode]]) {
  ({ mangleCache } = await build({
    ...bundled,
    ...platform,
    entryPoints: entryNames.map((name) => `src/${name}.ts`),
    outdir,
    chunkNames: "shared/[hash]",
    splitting: true,
    sourcemap: true,
    mangleCache,
  }));
}
const unused = internalNames.find((name) => !(name in mangleCache));
if (unused) throw new Error(`${unused}: a name that nothing in src has any more. Take it out of scripts/bundle.mjs.`);

function types(name) {
  return readFileSync(`dist/${name}.d.ts`, "utf8").replace(/\/\*[^]*?\*\//g, "");
}

/** The declarations a user of these can come to. */
function reachable(names) {
  const found = new Set(names);
  for (const name of found) {
    for (const [, next] of types(name).matchAll(/"\.\/([\w-]+)\.js"/g)) found.add(next);
  }
  return found;
}
