// How src becomes what is published: bundled, minified, and with short names for what no user sees.
import { readFileSync } from "node:fs";

/** Members of objects that stay within the library: in no public type, nor in the protocol (the build looks), nor in a type of the platform. */
export const internalNames = [
  "acknowledged", "afterFailure", "allow", "announce", "append", "appended", "backoff", "bell", "changed", "consumes", "counts", "delivered",
  "callHandlers", "emit", "enter", "failedTries", "hasId", "heard", "isAway", "isBeforeGap", "isExact", "isReady", "latencies", "look", "moveTo",
  "place", "refused", "report", "resumeAfter", "ring", "take", "until", "use", "waitAsToldBy",
];

const { exports: entries } = JSON.parse(readFileSync("package.json", "utf8"));

/** Names of the entries: `index`, `sse` and so on. */
export const entryNames = Object.values(entries).map((path) => /([\w-]+)\.js$/.exec(path)[1]);

export const bundled = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  packages: "external",
  mangleProps: new RegExp(`^(${internalNames.join("|")})$`),
};
