// Every metric of the project, defined once, with bounded labels (AC-51): kind, lane, outcome, reason, operation.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

const REGISTRY = new Registry();
const LONG_BUCKETS = [0.005, 0.02, 0.1, 0.5, 1, 5, 15, 60, 300, 1800];
const SHORT_BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10];

function counter(name: string, help: string, labelNames: string[] = []): Counter {
  return new Counter({ name, help, labelNames, registers: [REGISTRY] });
}
function gauge(name: string, help: string, labelNames: string[] = []): Gauge {
  return new Gauge({ name, help, labelNames, registers: [REGISTRY] });
}
function histogram(name: string, help: string, buckets: number[], labelNames: string[] = []): Histogram {
  return new Histogram({ name, help, labelNames, buckets, registers: [REGISTRY] });
}

export const metrics = {
  published: counter("poolstream_published_total", "Messages published", ["kind", "lane"]),
  waited: histogram("poolstream_event_to_start_seconds", "From publish to start of the reconcile", LONG_BUCKETS, ["kind", "lane"]),
  reconciled: histogram("poolstream_reconcile_seconds", "Duration of a reconcile", LONG_BUCKETS, ["kind", "outcome"]),
  inFlight: gauge("poolstream_in_flight", "Reconciles running in this process", ["kind"]),
  depth: gauge("poolstream_stream_lag", "Entries not yet read", ["kind", "partition", "lane"]),
  pending: gauge("poolstream_stream_pending", "Entries read and not finished", ["kind", "partition", "lane"]),
  oldest: gauge("poolstream_oldest_waiting_seconds", "Age of the oldest waiting entry", ["kind", "partition", "lane"]),
  dueMoved: counter("poolstream_due_moved_total", "Due items moved into the streams"),
  ticks: counter("poolstream_ticks_total", "Ticks fired", ["kind"]),
  leading: gauge("poolstream_leading", "1 while this controller leads"),
  beating: gauge("poolstream_beat_acting", "1 while this beat acts"),
  watchEvents: counter("poolstream_watch_events_total", "Watch events seen", ["kind", "type"]),
  apiRequests: histogram("poolstream_api_request_seconds", "API requests", SHORT_BUCKETS, ["verb", "code"]),
  storeLosses: counter("poolstream_store_losses_total", "Times the store was found lost or rolled back"),
  build: gauge("poolstream_build_info", "Constant 1 with the version and role", ["version", "role"]),
};

/** Node's own metrics (event loop delay, memory); once per process. */
export function startDefaultMetrics(): void {
  collectDefaultMetrics({ register: REGISTRY });
}

/** The exposition text and its content type. */
export async function exposition(): Promise<{ readonly type: string; readonly body: string }> {
  return { type: REGISTRY.contentType, body: await REGISTRY.metrics() };
}
