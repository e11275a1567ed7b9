// Health, readiness and summary of a handle from the states of its objects (spec resource-handle 3.11). Pure: checks and
// summaries come in as functions.
import type { ResourceStatus } from "./types.ts";

export type Verdict = boolean | undefined;

export interface EntryInput {
  /** The live object, or undefined where there is none. */
  readonly state: unknown;
  /** Evaluates the provider's check; undefined when it has none or it threw. */
  readonly healthy: () => Verdict;
  readonly ready: () => Verdict;
}

/** An entry without an object is not ready; an unhealthy one is not ready without being asked. */
export function entryHealth(input: EntryInput): { readonly healthy: Verdict; readonly ready: Verdict } {
  if (input.state === undefined) return { healthy: undefined, ready: false };
  const healthy = input.healthy();
  return { healthy, ready: healthy === false ? false : input.ready() };
}

/** False if any is false, else unknown if any is unknown or there is none, else true. */
export function overall(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(false)) return false;
  return verdicts.length === 0 || verdicts.includes(undefined) ? undefined : true;
}

/** The entry with its verdicts; unknown is represented by absence. */
export function withVerdicts(entry: ResourceStatus, verdicts: { readonly healthy: Verdict; readonly ready: Verdict }): ResourceStatus {
  const { healthy: _, ready: __, ...rest } = entry;
  return { ...rest, ...present("healthy", verdicts.healthy), ...present("ready", verdicts.ready) };
}

export function present<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
