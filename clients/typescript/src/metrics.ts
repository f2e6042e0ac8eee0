import type { TransportError } from "./errors.js";
import type { TransportMetrics, TransportServices } from "./types.js";

/** A transport's counts. */
export function createMetrics(services: TransportServices) {
  let firstMessageAt: number | undefined;
  let startedAt: number | undefined;
  const counts = {
    messagesReceived: 0,
    messagesSent: 0,
    bytesReceived: 0,
    errors: 0,
    reconnectAttempts: 0,
    resumes: 0,
    gaps: 0,
    handlerErrors: 0,
    connectedAt: undefined as number | undefined,
    lastError: undefined as TransportError | undefined,
  };
  return {
    counts,
    started(): void {
      startedAt ??= services.now();
    },
    delivered(): void {
      counts.messagesReceived++;
      firstMessageAt ??= services.now();
    },
    snapshot(facts: Pick<TransportMetrics, "id" | "kind" | "state" | "bufferSize" | "dropped">, latencies: readonly number[]): TransportMetrics {
      const sorted = [...latencies].sort((a, b) => a - b);
      const share = (part: number) => sorted[Math.ceil(sorted.length * part) - 1] ?? 0;
      return {
        ...counts,
        ...facts,
        connectionDuration: counts.connectedAt === undefined ? 0 : services.now() - counts.connectedAt,
        timeToFirstMessage: firstMessageAt && firstMessageAt - startedAt!,
        averageLatency: sorted.reduce((sum, each) => sum + each, 0) / (sorted.length || 1),
        latencyP50: share(0.5),
        latencyP95: share(0.95),
        latencyP99: share(0.99),
      };
    },
  };
}
