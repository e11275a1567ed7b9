// One retry policy over ts-retry-promise: for start-up and for single calls outside the queue.
// Work on objects is never retried here: that is the stream layer's reclaim.
import { retry as retryPromise, RetryError } from "ts-retry-promise";

export interface RetryPolicy {
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  readonly isRetryable: (error: unknown) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Calls `fn` until it resolves; rejects with the last error when attempts are used up, it is final, or the signal fired. */
export async function retry<T>(fn: () => Promise<T>, policy: RetryPolicy): Promise<T> {
  let last: unknown;
  try {
    return await retryPromise(
      async () => {
        try {
          return await fn();
        } catch (error) {
          last = error;
          throw error;
        }
      },
      {
        retries: policy.attempts - 1,
        delay: policy.firstDelayMs,
        backoff: "EXPONENTIAL",
        maxBackOff: policy.maxDelayMs,
        timeout: "INFINITELY",
        retryIf: (error: unknown) => policy.signal?.aborted !== true && policy.isRetryable(error),
      },
    );
  } catch (error) {
    // The library wraps; callers steer by the class of the real error.
    throw last ?? (error instanceof RetryError ? error.lastError : error);
  }
}
