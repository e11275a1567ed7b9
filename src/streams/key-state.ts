// The life of one key (design.md 3.2), as pure transitions. memory-bus.ts runs them; the property tests use them as the
// model of redis-bus.ts, whose scripts do the same on the packed form. `undefined` is the idle state.
import type { Lane, Message } from "./bus.ts";
import { isHousekeeping } from "./envelope.ts";

export type Phase = "queued" | "running" | "retrying" | "held" | "dead";

export interface KeyState {
  readonly phase: Phase;
  /** What the next run, or the running one, is told. */
  readonly message: Message;
  /** What arrived during the run. */
  readonly dirty: Message | undefined;
  readonly attempts: number;
  readonly crashes: number;
  /** ms since the epoch of the first failure in a row; 0 when the last run succeeded. */
  readonly firstFailureAt: number;
  readonly lastFailure: string;
  readonly lastFailureAt: number;
}

/** The next state, and in which lane an entry must be written for it. */
export interface Step {
  readonly state: KeyState | undefined;
  readonly enqueue?: Lane;
}

export interface Limits {
  readonly maxAttempts: number;
  readonly maxCrashes: number;
}

export interface Failure {
  readonly cause: string;
  readonly counted: boolean;
  /** Longer than the backoff: the key is held in the due index instead. */
  readonly held: boolean;
  readonly now: number;
}

/** A failure that ends in the dead-letter stream whatever the count. */
export const NEVER_AGAIN = Number.MAX_SAFE_INTEGER;

function fresh(message: Message): KeyState {
  return { phase: "queued", message, dirty: undefined, attempts: 0, crashes: 0, firstFailureAt: 0, lastFailure: "", lastFailureAt: 0 };
}

/** Newest cause and trace; the stronger lane; two uids make it "any", so that no message is coalesced into one for a predecessor. */
export function mergeMessages(older: Message, newer: Message): Message {
  return {
    ...newer,
    uid: older.uid === newer.uid ? newer.uid : "",
    lane: older.lane === "urgent" ? "urgent" : newer.lane,
    waking: older.waking || newer.waking,
  };
}

/** A new event for the key. */
export function publish(state: KeyState | undefined, message: Message, limits: Limits): Step {
  if (!state) return { state: fresh(message), enqueue: message.lane };
  const merged = mergeMessages(state.message, message);
  switch (state.phase) {
    case "queued":
      return isPromotion(state, message)
        ? { state: { ...state, message: merged }, enqueue: "urgent" }
        : { state: { ...state, message: merged } };
    case "running":
      return { state: { ...state, dirty: state.dirty ? mergeMessages(state.dirty, message) : message } };
    case "retrying":
    case "held":
      return message.waking
        ? { state: { ...fresh(merged), crashes: state.crashes }, enqueue: message.lane }
        : { state: { ...state, message: mergeMessages(message, state.message) } };
    case "dead":
      break;
  }
  return revive(state, message, limits);
}

function isPromotion(state: KeyState, message: Message): boolean {
  return state.message.lane === "bulk" && message.lane === "urgent";
}

// The resync gives a dead key one more try, unless its runs killed workers.
function revive(state: KeyState, message: Message, limits: Limits): Step {
  if (message.waking) return { state: fresh(message), enqueue: message.lane };
  if (!isHousekeeping(message) || state.crashes >= limits.maxCrashes) return { state };
  return { state: { ...state, phase: "queued", message, attempts: limits.maxAttempts - 1 }, enqueue: message.lane };
}

/** A worker starts the key. */
export function take(state: KeyState): KeyState {
  return { ...state, phase: "running", dirty: undefined };
}

/** The run succeeded. */
export function finish(state: KeyState): Step {
  return state.dirty ? { state: fresh(state.dirty), enqueue: state.dirty.lane } : { state: undefined };
}

/** The run failed; `retrying` waits for its backoff, `held` for the due index. */
export function fail(state: KeyState, failure: Failure, limits: Limits): Step {
  if (state.dirty?.waking === true) return { state: { ...fresh(state.dirty), crashes: state.crashes }, enqueue: state.dirty.lane };
  const attempts = state.attempts + (failure.counted ? 1 : 0);
  const failed: KeyState = {
    ...state,
    dirty: undefined,
    message: state.dirty ? mergeMessages(state.dirty, state.message) : state.message,
    attempts,
    firstFailureAt: state.firstFailureAt === 0 ? failure.now : state.firstFailureAt,
    lastFailure: failure.cause,
    lastFailureAt: failure.now,
    phase: "retrying",
  };
  if (attempts >= limits.maxAttempts) return { state: { ...failed, phase: "dead" } };
  return { state: failure.held ? { ...failed, phase: "held" } : failed };
}

/** Buried at the handler's word. */
export function bury(state: KeyState, failure: Failure, limits: Limits): Step {
  return fail({ ...state, attempts: limits.maxAttempts }, { ...failure, counted: false }, limits);
}

/** The holder gives the key back, or its backoff is over: it waits again, nothing counted. */
export function requeue(state: KeyState): Step {
  const message = state.dirty ? mergeMessages(state.message, state.dirty) : state.message;
  return { state: { ...state, phase: "queued", dirty: undefined, message }, enqueue: message.lane };
}
