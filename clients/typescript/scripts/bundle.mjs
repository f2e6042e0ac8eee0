// How src becomes what is published: bundled, minified, and with short names for what no user sees.
import { readFileSync } from "node:fs";

/** Members of objects that stay within the library: in no public type, nor in the protocol (the build looks), nor in a type of the platform. */
export const internalNames = [
  "acknowledged", "afterFailure", "allow", "announce", "append", "appended", "backoff", "bell", "callbacks", "canContinue", "changed", "connections", "consumes", "counts", "delivered",
  "callHandlers", "emit", "enter", "failedTries", "finish", "fire", "hasId", "heard", "isAway", "isBeforeGap", "isExact", "isReady", "isRunning", "latencies", "look", "moveTo",
  "place", "refused", "repeatsPosts", "report", "ring", "take", "until", "use", "waitAsToldBy",
];

const { exports: entries } = JSON.parse(readFileSync("package.json", "utf8"));

/** Names of the entries: `index`, `sse` and so on. */
export const entryNames = Object.values(entries).map((paths) => /([\w-]+)\.js$/.exec(paths.default)[1]);

/** The two builds: one for Node, and one for browsers and everything else, which holds nothing that only Node needs. */
export const forNode = { define: { IN_NODE: "true" } };
export const forBrowsers = { define: { IN_NODE: "false" } };

export const bundled = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  packages: "external",
  mangleProps: new RegExp(`^(${internalNames.join("|")})$`),
};
