// The Bus contract (design.md part 3). memory-bus.ts and redis-bus.ts implement it; test/conformance/bus.ts
// holds both to this text. The bus knows kinds only as names with a partition count.
//
// Guarantees: at least once; one running delivery per key, cluster-wide; per-key order inside one partition;
// a publish during a run leads to exactly one further run that starts after it; publish resolves only when durable;
// delays are relative, on the server's clock; the memory bus does not survive its process, the Redis bus does.

export type Lane = "urgent" | "bulk";

/** What a message says besides its key. At most 1 KiB in all; never object contents (G5, AC-17). */
export interface Message {
  /** Name of the kind, as in the Kubernetes plural: `resourceclaims`. Also the first part of every Redis key. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The uid this is about, or "" when any will do. */
  readonly uid: string;
  /** Why, for people and metrics: `created`, `spec changed`, `owned changed`, `resync`, `timer`, … */
  readonly cause: string;
  readonly lane: Lane;
  /** A waking event ends a retry wait and resets attempts (design.md 3.4). */
  readonly waking: boolean;
  /** One id from event to last log line. */
  readonly eventId: string;
  readonly traceparent: string;
}

/** The worker's hold on one key. Exactly one of the four endings must be called, once. */
export interface Delivery {
  readonly message: Message;
  readonly partition: number;
  /** Rises with every take of this key's partition, across wipes and fail-overs. */
  readonly fencing: number;
  /** Which try this is: 0 for the first. */
  readonly attempts: number;
  readonly crashes: number;
  /** ms since the entry was published, on the bus's clock. */
  readonly waitedMs: number;
  /** Fires when the lock is lost, or the hold can no longer be proved in time. */
  readonly signal: AbortSignal;
  /** Monotonic instant (ms) after which no write may be started (design.md 3.2 "write gate"). */
  writableUntil(): number;
  /** Finished; `digest` is stored in `seen`; `requeueAfterMs` sets the key's own timer, absent clears it. */
  done(result: {
    readonly requeueAfterMs?: number | undefined;
    readonly digest?: string | undefined;
    readonly gone?: boolean;
  }): Promise<void>;
  /** Failed: try again by backoff, or after `afterMs` (held in the due index). `counted` false leaves attempts alone. */
  retry(failure: { readonly cause: string; readonly counted: boolean; readonly afterMs?: number | undefined }): Promise<void>;
  /** To the dead-letter stream, atomically. */
  bury(failure: { readonly cause: string }): Promise<void>;
  /** Unstarted or unfinished, not a failure: another worker may take it at once. */
  handBack(): Promise<void>;
}

export interface ConsumeOptions {
  readonly kinds: readonly string[];
  /** How many deliveries may be open at once. */
  readonly slots: number;
  /** Called for each delivery; must not throw; the slot is free again when an ending of the delivery settled. */
  readonly onDelivery: (delivery: Delivery) => void;
}

export interface Consumer {
  /** Stops taking at once, hands unstarted deliveries back, resolves when every open delivery has ended. */
  stop(): Promise<void>;
  /** ms since the last completed read, for the liveness probe (AC-50). */
  readonly idleForMs: number;
}

export interface LaneDepth {
  readonly kind: string;
  readonly partition: number;
  readonly lane: Lane;
  readonly lag: number;
  readonly pending: number;
  /** Age of the oldest waiting entry in ms; 0 when none. */
  readonly oldestMs: number;
}

export interface DueMove {
  readonly moved: number;
  /** ms until the next due item of any partition, if known. */
  readonly nextInMs: number | undefined;
}

export interface SpreadItem {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly afterMs: number;
}

/** Kinds of the installation and their partition counts. */
export type Topology = Readonly<Record<string, number>>;

export interface Bus {
  /** Creates streams and groups, checks the server. Rejects with a sentence when the server cannot be used. */
  open(): Promise<void>;
  publish(messages: readonly Message[]): Promise<void>;
  consume(options: ConsumeOptions): Promise<Consumer>;
  /** Puts keys of one kind into the due index as resync items (bulk lane, not waking). */
  spread(kind: string, items: readonly SpreadItem[]): Promise<void>;
  /** Moves what is due into the streams; beat calls it (any number of beats may, items move once). */
  moveDue(): Promise<DueMove>;
  /** Digests last reconciled, by `namespace/name`, of those asked for: a new leader compares (design.md 4). */
  seen(kind: string, keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  depth(): Promise<readonly LaneDepth[]>;
  close(): Promise<void>;
}

/** Beat's further needs: its lease and the last fired time per schedule, both on the bus's clock. */
export interface BeatStore {
  /** True while this beat is the acting one. */
  acquireLease(holder: string, ttlMs: number): Promise<boolean>;
  releaseLease(holder: string): Promise<void>;
  /** The bus's clock in ms since the epoch. */
  now(): Promise<number>;
  /** Atomically: if `plannedAt` is later than the last fired one, record it and publish the tick; says whether it fired. */
  fireTick(tick: { readonly kind: string; readonly schedule: string; readonly plannedAt: number }): Promise<boolean>;
  lastFired(kind: string, schedule: string): Promise<number | undefined>;
}

/** Asked for by the controller: what happened to the store since it last looked (design.md 3.6). */
export interface LossWatch {
  /** Calls back when the store was lost or rolled back; the controller then publishes everything at a bounded rate. */
  onLoss(callback: (reason: string) => void): void;
}

/** Reserved names: a tick is an ordinary entry of partition 0 with namespace `_tick`. */
export const TICK_NAMESPACE = "_tick";
