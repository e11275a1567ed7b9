// The bus timings that src/runtime/settings.ts gives by default.
import type { BusTimings } from "../../src/streams/timings.ts";

export const DEFAULT_TIMINGS: BusTimings = {
  heartbeatMs: 3000,
  lockTtlMs: 10_000,
  idleMs: 10_000,
  reclaimEveryMs: 1000,
  backoffBaseMs: 1000,
  backoffMaxMs: 60_000,
  maxAttempts: 8,
  maxCrashes: 5,
};
