import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { before, describe, test } from "node:test";
import { promisify } from "node:util";

// A project of a user, in which the package is installed as it is published.
const folder = "build/tools";
const require = createRequire(import.meta.url);

async function run(program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--no-warnings", "--experimental-vm-modules", resolve(`node_modules/${program}`), ...args], { cwd: folder });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${stdout}${stderr}`);
  }
}

before(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(`${folder}/node_modules/@perennial`, { recursive: true });
  symlinkSync(resolve("."), `${folder}/node_modules/@perennial/client`);
  cpSync("test/tools", folder, { recursive: true });
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }');
});

const page = ["ES2022", "DOM", "DOM.Iterable"];
const compilers = [
  { typescript: "typescript-5.0", module: "ESNext", moduleResolution: "bundler", lib: page, files: ["use.ts"] },
  { typescript: "typescript-5.0", module: "ESNext", moduleResolution: "node10", lib: page, files: ["use.ts"] },
  { typescript: "typescript-5.6", module: "Node16", moduleResolution: "node16", lib: ["ES2022"], types: ["node"], files: ["use.ts"] },
  { typescript: "typescript-5.6", module: "ESNext", moduleResolution: "bundler", lib: [...page, "ESNext.Disposable"], files: ["use.ts", "dispose.ts", "adapters.ts"] },
  { typescript: "typescript", module: "ESNext", moduleResolution: "bundler", lib: [...page, "ESNext.Disposable"], files: ["use.ts", "dispose.ts", "adapters.ts"] },
  { typescript: "typescript", module: "Node16", moduleResolution: "node16", lib: [...page, "ESNext.Disposable"], files: ["use.ts", "dispose.ts", "adapters.ts"] },
];

void describe("In tools", { concurrency: 2 }, () => {
  for (const { typescript, files, types = [], ...options } of compilers) {
    const { version } = require(`${typescript}/package.json`) as { version: string };
    test(`TypeScript ${version} checks the types, with ${options.moduleResolution} resolution and ${options.lib.length} libraries`, async () => {
      const config = `tsconfig-${typescript}-${options.moduleResolution}.json`;
      writeFileSync(`${folder}/${config}`, JSON.stringify({ compilerOptions: { ...options, types, target: "ES2022", strict: true, noEmit: true, skipLibCheck: false }, files }));
      assert.equal(await run(`${typescript}/bin/tsc`, "-p", config), "");
    });
  }

  test("Jest runs it with jsdom, on a fetch without streams, as React Native has it", async () => {
    writeFileSync(`${folder}/jest.config.json`, JSON.stringify({ testEnvironment: "jsdom", transform: {}, testMatch: ["<rootDir>/jest.test.js"] }));
    assert.match(await run("jest/bin/jest.js", "--config", "jest.config.json"), /1 passed/);
  });

  test("Vitest runs it", async () => {
    writeFileSync(`${folder}/vitest.config.js`, 'export default { test: { globals: true, include: ["jest.test.js"], environment: "happy-dom", environmentOptions: { happyDOM: { url: "http://localhost/" } } } };');
    assert.match(await run("vitest/vitest.mjs", "run"), /1 passed/);
  });

  test("Vite builds it", async () => {
    writeFileSync(`${folder}/vite.config.js`, 'export default { build: { outDir: "vite", minify: false, lib: { entry: "page.js", formats: ["es"], fileName: () => "page.js" } } };');
    await run("vite/bin/vite.js", "build");
    assert.equal(await resultOf(`${folder}/vite/page.js`), "auto,sse");
  });

  test("webpack builds it", async () => {
    writeFileSync(`${folder}/webpack.mjs`, [
      'import webpack from "webpack";',
      'webpack({ mode: "production", entry: "./page.js", output: { path: process.cwd() + "/webpack", filename: "page.mjs" } }, (error, stats) => {',
      "  if (error || stats.hasErrors() || stats.hasWarnings()) throw error ?? new Error(stats.toString());",
      "});",
    ].join("\n"));
    await run("../build/tools/webpack.mjs");
    assert.equal(await resultOf(`${folder}/webpack/page.mjs`), "auto,sse");
  });

  test("CommonJS requires it in a Node that can require ES modules", { skip: !process.features.require_module && "SKIPPED: this Node cannot" }, () => {
    const { createTransport } = createRequire(resolve(folder, "index.cjs"))("@perennial/client/sse") as typeof import("../src/sse.js");
    assert.equal(createTransport({ url: "https://example.com/" }).kind, "sse");
  });
});

async function resultOf(path: string): Promise<unknown> {
  await import(resolve(path));
  return (globalThis as { result?: unknown }).result;
}
