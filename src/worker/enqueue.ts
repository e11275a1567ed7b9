// Keys that a pass makes dirty → messages. Same trace as the pass that asked for them (AC-52).
import type { Mapped } from "../resources/kind.ts";
import type { Message } from "../streams/bus.ts";

export interface Origin {
  readonly eventId: string;
  readonly traceparent: string;
}

/** Mapped keys go to the bulk lane, waking where the change says so (design.md 3.4). */
export function toMessages(keys: readonly Mapped[], origin: Origin): Message[] {
  return keys.map((key) => ({
    kind: key.kind,
    namespace: key.namespace,
    name: key.name,
    uid: key.uid ?? "",
    cause: key.cause,
    lane: "bulk",
    waking: key.waking,
    ...origin,
  }));
}
