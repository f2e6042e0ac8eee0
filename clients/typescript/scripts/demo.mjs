// Bundles the demo page into the program that serves it. `--check` writes nothing, and fails where the bundle is not what the sources make.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { forBrowsers } from "./bundle.mjs";

const target = "../../src/Perennial.Cli/Serve/Page/Site/";

const { outputFiles } = await build({
  ...forBrowsers,
  entryPoints: { demo: "demo/main.ts" },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  write: false,
});
const { outputFiles: styles } = await build({ entryPoints: ["demo/demo.css"], minify: true, write: false });
const files = { "demo.js": outputFiles[0].text, "demo.css": styles[0].text, "index.html": readFileSync("demo/index.html", "utf8") };

for (const [name, text] of Object.entries(files)) {
  if (!process.argv.includes("--check")) {
    writeFileSync(target + name, text);
  } else if (readFileSync(target + name, "utf8") != text) {
    console.error(`${name} of the demo page is not what its sources make: npm run demo`);
    process.exitCode = 1;
  }
}
