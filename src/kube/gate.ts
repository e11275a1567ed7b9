// The write gate (design.md 3.2): a client for one execution, cancelled with its lock and closed for writes before the lock
// can expire elsewhere. It also stops a process that was frozen and thawed. The API's preconditions catch what passes it.
import type { Clock } from "../runtime/clock.ts";
import { AbortedError } from "../runtime/errors.ts";
import type { CallOptions, KubeClient } from "./client.ts";

export interface Gate {
  readonly signal: AbortSignal;
  /** Monotonic instant in ms after which no write may start. */
  readonly writableUntil: () => number;
  readonly clock: Clock;
}

/** Every call ends with the signal; a write after `writableUntil` throws AbortedError PS_WRITE_GATE. */
export function gatedClient(client: KubeClient, gate: Gate): KubeClient {
  const bound = <T extends CallOptions>(options?: T): T => {
    const signal = options?.signal ? AbortSignal.any([options.signal, gate.signal]) : gate.signal;
    return { ...options, signal } as T;
  };
  const write = <T extends CallOptions>(options?: T): T => {
    gate.signal.throwIfAborted();
    if (gate.clock.monotonic() >= gate.writableUntil()) {
      throw new AbortedError("PS_WRITE_GATE", "the lock could not be renewed in time, no write is started");
    }
    return bound(options);
  };
  return {
    get: (ref, options) => client.get(ref, bound(options)),
    list: (kind, options) => client.list(kind, bound(options)),
    watch: (kind, options) => client.watch(kind, bound(options)),
    discover: (kind) => client.discover(kind),
    create: async (object, options) => client.create(object, write(options)),
    patch: async (ref, patch, options) => client.patch(ref, patch, write(options)),
    replace: async (object, options) => client.replace(object, write(options)),
    delete: async (ref, options) => client.delete(ref, write(options)),
  };
}
