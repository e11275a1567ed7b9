// Waiting for the state of the world in tests: a condition, never a time.
import { inspect } from "node:util";

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/** Thrown by a probe: what is waited for can no longer happen, so waiting ends at once with this error. */
export class GiveUpError extends Error {
  override readonly name = "GiveUpError";
}

/**
 * Polls until `probe` gives something other than undefined or false, and returns it. Errors of the probe count as "not yet",
 * save GiveUpError. When time is up, throws an error that names what was waited for and what was last seen.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  options: WaitOptions = {},
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 15_000;
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      if (error instanceof GiveUpError) throw error;
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? 25));
  }
  const seen = last instanceof Error ? last.message : inspect(last, { breakLength: Infinity });
  throw new Error(`waited ${timeoutMs} ms for ${what}; last: ${seen}`, last instanceof Error ? { cause: last } : {});
}
