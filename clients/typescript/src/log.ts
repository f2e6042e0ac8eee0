import type { Logger, TransportEvents } from "./types.js";

/** What may stand in a log: no payload, no header, no URL. */
const shown = ["attempt", "maxAttempts", "delay", "resumedFrom", "reason", "error", "message", "recoverable", "size", "capacity", "count", "total"];

/** Writes what happens to a transport into the logger of its options, one line an event. Its errors touch nothing. */
export const createLog = (logger: Logger | undefined, id: string, onError: (error: unknown) => void) =>
  <Name extends keyof TransportEvents>(name: Name, detail: TransportEvents[Name]): void => {
    const isFinal = "recoverable" in detail && !detail.recoverable;
    const level = isFinal ? "error" : /reconnecting|error|gap|dropped/.test(name) ? "warn" : name == "connecting" ? "debug" : "info";
    try {
      logger?.[level](`${id} ${name} ${JSON.stringify(detail, shown)}`);
    } catch (error) {
      onError(error);
    }
  };
