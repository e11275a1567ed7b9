// A tick as a message: an ordinary bulk entry under the reserved namespace (design.md part 6). Both buses write it.
import type { Message } from "./bus.ts";
import { TICK_NAMESPACE } from "./bus.ts";

export interface Tick {
  readonly kind: string;
  readonly schedule: string;
  /** ms since the epoch. */
  readonly plannedAt: number;
}

/** Not waking: a tick ends nobody's retry wait. */
export function tickMessage({ kind, schedule, plannedAt }: Tick): Message {
  return {
    kind,
    namespace: TICK_NAMESPACE,
    name: schedule,
    uid: "",
    cause: "tick",
    lane: "bulk",
    waking: false,
    eventId: `tick-${plannedAt}`,
    traceparent: "",
  };
}
