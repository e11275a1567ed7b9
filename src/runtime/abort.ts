// Waiting that can be cancelled. Everything in src/ that waits, waits through here.
import { setTimeout as delay } from "node:timers/promises";
import { AbortedError } from "./errors.ts";

/** Resolves after `ms`; rejects with AbortedError when `signal` fires first. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    throw new AbortedError("PS_ABORTED", "the wait was cancelled", { cause: signal?.reason ?? error });
  }
}

/** Resolves after `ms` or as soon as `signal` fires: for loops that check the signal themselves. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Calls `fn` each `ms` until the signal fires; one call at a time. Errors are the callback's affair. */
export async function every(ms: number, signal: AbortSignal, fn: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await fn();
    await pause(ms, signal);
  }
}

/** Runs `fn` once after `ms`; the returned function cancels it. */
export function after(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
}
