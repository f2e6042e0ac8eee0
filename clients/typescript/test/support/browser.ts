import { type Browser, chromium, type LaunchOptions } from "playwright-core";
import { newest } from "./test-server.js";

const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

const path = newest([process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]);

/** Why there is no browser here; where there must be one, that is an error of the tests. */
export const missingBrowser = path ? undefined : "no Chromium on this machine; CHROMIUM may name one";

/** A real browser with a profile of its own, which goes with it. */
export const launch = (options: LaunchOptions = {}): Promise<Browser> => chromium.launch({ ...options, executablePath: path!, args: flags });
