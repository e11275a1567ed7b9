// The bus's timings, all settings, with the one rule that makes recovery safe: lock and idle time are renewed together,
// so a lock is gone by the time its entry can be reclaimed (design.md 3.3).
import { ConfigError } from "../runtime/errors.ts";

export interface BusTimings {
  readonly heartbeatMs: number;
  readonly lockTtlMs: number;
  readonly idleMs: number;
  readonly reclaimEveryMs: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  readonly maxAttempts: number;
  readonly maxCrashes: number;
}

/** Throws ConfigError PS_CONFIG_TIMINGS unless 3 heartbeats ≤ lock ≤ idle. */
export function checkTimings(timings: BusTimings): void {
  const { heartbeatMs, lockTtlMs, idleMs } = timings;
  if (heartbeatMs < 1 || heartbeatMs * 3 > lockTtlMs || lockTtlMs > idleMs) {
    throw new ConfigError(
      "PS_CONFIG_TIMINGS",
      `bus.heartbeatMs × 3 ≤ bus.lockTtlMs ≤ bus.idleMs must hold, not ${heartbeatMs} × 3, ${lockTtlMs}, ${idleMs}`,
    );
  }
}

/** Margin before the lock's end in which no write may start (design.md 3.2); a fifth of short test locks. */
export function writeMarginMs(timings: BusTimings): number {
  return Math.min(2000, timings.lockTtlMs / 5);
}

/** Exponential, capped, with ± 20 % jitter from (key, attempt): every worker computes the same (AC-8). */
export function backoffMs(timings: BusTimings, key: string, attempt: number): number {
  const raw = Math.min(timings.backoffMaxMs, timings.backoffBaseMs * 2 ** Math.max(0, attempt - 1));
  let hash = attempt;
  for (let index = 0; index < key.length; index += 1) hash = (hash * 31 + key.charCodeAt(index)) % 1000;
  return Math.round(raw * (0.8 + (0.4 * hash) / 1000));
}
