import { toBase64 } from "./keys.js";

/** Takes the user name and password out of a URL, where they would reach errors and logs; returns them as Basic credentials (RFC 7617). */
export function takeCredentials(url: URL): string | undefined {
  const { username, password } = url;
  if (!username && !password) return undefined;
  url.username = url.password = "";
  return `Basic ${toBase64(new TextEncoder().encode(decodeURIComponent(`${username}:${password}`)))}`;
}
