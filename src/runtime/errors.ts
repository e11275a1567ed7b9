// The error catalogue: every error this project throws on purpose has a code that is never reused.
// Steering of retries happens by class: TerminalError buries, RetryAfterError waits, everything else backs off.

/** Codes are `PS_<AREA>_<WHAT>`; docs/errors.md lists them. */
export type ErrorCode = `PS_${string}`;

export interface ErrorOptions {
  readonly cause?: unknown;
}

/** An error with a stable code. `message` is one sentence for a person. */
export class AppError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A setting is missing, unknown or contradictory. The process prints the message and exits with 2. */
export class ConfigError extends AppError {}

/** Never retried: the work goes to the dead-letter stream. */
export class TerminalError extends AppError {}

/**
 * Retried after a stated delay (design.md 3.2 "Fail"); counts no attempt.
 * The reference's deferred error (N), spec resource-claim 12.
 */
export class RetryAfterError extends AppError {
  readonly afterMs: number;
  constructor(code: ErrorCode, message: string, afterMs: number, options: ErrorOptions = {}) {
    super(code, message, options);
    this.afterMs = afterMs;
  }
}

/** The execution lost its lock, ran out of time, or the process is stopping. Counts no attempt. */
export class AbortedError extends AppError {}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
