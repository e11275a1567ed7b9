// Time as a dependency, so that tests can own it. The only place that reads the system clock.

export interface Clock {
  /** Wall clock in ms since the epoch: for what is written into objects, never for leases. */
  now(): number;
  /** Monotonic ms: for leases, deadlines and measurements. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
