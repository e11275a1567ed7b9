// Every Redis key of the stream layer (design.md 3.1). The hash tag {kind:partition} keeps a partition in one slot.
import type { Lane } from "./bus.ts";

/** Consumer group of every work stream; KEDA's manifests name it too. */
export const GROUP = "workers";
/** The consumer that belongs to nobody and holds what waits for another try. */
export const RETRY_CONSUMER = "retry";

export interface PartitionKeys {
  readonly kind: string;
  readonly partition: number;
  readonly urgent: string;
  readonly bulk: string;
  readonly states: string;
  readonly due: string;
  readonly seen: string;
  readonly meta: string;
  readonly dead: string;
  /** Followed by the field of the key. */
  readonly lockPrefix: string;
  /** In the order that every script declares. */
  readonly all: readonly string[];
}

export function partitionKeys(prefix: string, kind: string, partition: number): PartitionKeys {
  const base = `${prefix}:{${kind}:${partition}}`;
  const keys = {
    urgent: `${base}:urgent`,
    bulk: `${base}:bulk`,
    states: `${base}:keys`,
    due: `${base}:due`,
    seen: `${base}:seen`,
    meta: `${base}:meta`,
    dead: `${base}:dead`,
  };
  return {
    kind,
    partition,
    ...keys,
    lockPrefix: `${base}:lock:`,
    all: [keys.urgent, keys.bulk, keys.states, keys.due, keys.seen, keys.meta, keys.dead],
  };
}

export function streamOf(keys: PartitionKeys, lane: Lane): string {
  return lane === "urgent" ? keys.urgent : keys.bulk;
}

/** The acting beat's lease. */
export function beatLeaseKey(prefix: string): string {
  return `${prefix}:beat:lease`;
}
