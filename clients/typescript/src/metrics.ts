import type { TransportMetrics } from "./types.js";

type Latencies = "averageLatency" | "latencyP50" | "latencyP95" | "latencyP99";
type Facts = "id" | "kind" | "state" | "bufferSize" | "dropped" | "connectionDuration";

/** What is counted as it happens. */
export type Counts = { -readonly [Name in Exclude<keyof TransportMetrics, Latencies | Facts>]: TransportMetrics[Name] };

export const createCounts = (): Counts => ({
  messagesReceived: 0,
  messagesSent: 0,
  bytesReceived: 0,
  errors: 0,
  reconnectAttempts: 0,
  resumes: 0,
  gaps: 0,
  handlerErrors: 0,
  connectedAt: undefined,
  lastActivityAt: undefined,
  timeToFirstMessage: undefined,
  lastError: undefined,
});

/** The average and the percentiles, by nearest rank; 0 where there is nothing yet. */
export function summarize(latencies: readonly number[]): Pick<TransportMetrics, Latencies> {
  const sorted = [...latencies].sort((a, b) => a - b);
  const share = (part: number) => sorted[Math.ceil(sorted.length * part) - 1] ?? 0;
  return {
    averageLatency: sorted.reduce((sum, each) => sum + each, 0) / (sorted.length || 1),
    latencyP50: share(0.5),
    latencyP95: share(0.95),
    latencyP99: share(0.99),
  };
}
