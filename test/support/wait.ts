// Waiting for the state of the world in tests: a condition, never a time.

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/** Polls until `probe` gives something other than undefined or false; the error names what was waited for and what was last seen. */
export async function waitFor<T>(what: string, probe: () => T | undefined | false | Promise<T | undefined | false>, options: WaitOptions = {}): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 15_000);
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? 25));
  }
  throw new Error(`waited ${options.timeoutMs ?? 15_000} ms for ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
}
