// Bundles an example as a user's own build would, with the client's sources in place of the installed package.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";
import { forBrowsers, forNode } from "./bundle.mjs";

/** @returns The files, by name. */
export async function bundle(name) {
  const isNode = name === "node";
  const { outputFiles } = await build({
    entryPoints: [{ in: `./examples/${name}/main`, out: "main" }],
    outdir: "examples",
    bundle: true,
    write: false,
    format: "esm",
    platform: isNode ? "node" : "browser",
    target: isNode ? "node20" : "es2022",
    jsx: "automatic",
    conditions: ["svelte"],
    define: { ...(isNode ? forNode : forBrowsers).define, "process.env.NODE_ENV": '"development"', __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false" },
    alias: { "@perennial/client": "./src" },
    plugins: [vue, svelte],
  });
  const files = Object.fromEntries(outputFiles.map(({ path, text }) => [basename(path), text]));
  for (const file of isNode ? [] : ["index.html", "style.css"]) files[file] = readFileSync(`examples/${file}`, "utf8");
  return files;
}

const vue = {
  name: "vue",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.vue$/ }, async ({ path }) => {
      const { compileScript, parse } = await import("vue/compiler-sfc");
      const { descriptor } = parse(readFileSync(path, "utf8"), { filename: path });
      return { contents: compileScript(descriptor, { id: basename(path), inlineTemplate: true }).content, loader: "ts" };
    }),
};

const svelte = {
  name: "svelte",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const { compile } = await import("svelte/compiler");
      return { contents: compile(readFileSync(path, "utf8"), { filename: path, generate: "client" }).js.code, loader: "js" };
    }),
};
