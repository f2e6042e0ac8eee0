import { now } from "./clock.js";

const CAPACITY = 1_000;
const EXPIRY = 3_600_000;

/** URLs whose server announced that it starts a stream once for each `Idempotency-Key`, and when it did. */
const announced = new Map<string, number>();

/** Origin and path: a query often differs from request to request, and may hold a secret. */
const keyOf = ({ origin, pathname }: URL): string => origin + pathname;

/** Whether a request that starts a stream may be made again with the same key. */
export const startsOnce = (url: URL): boolean => now() - (announced.get(keyOf(url)) ?? -Infinity) < EXPIRY;

/** Notes what an answer says. A success without the announcement takes an earlier one back; an error may come from a proxy. */
export function noteStart(url: URL, { ok, headers }: Response): void {
  const key = keyOf(url);
  const isOnce = headers.get("perennial-starts") == "once";
  if (isOnce || ok) announced.delete(key);
  if (isOnce) announced.set(key, now());
  if (announced.size > CAPACITY) announced.delete(announced.keys().next().value!);
}
