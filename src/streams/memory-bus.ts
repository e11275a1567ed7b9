// The bus inside one process (standalone): key-state.ts on maps, two queues, a due index. Nothing survives the process, nothing
// needs to: a new leader publishes every object once (design.md 3.7). Fencing and locks are trivial here: one consumer per key.
import { pause } from "../runtime/abort.ts";
import type { BeatStore, Bus, ConsumeOptions, Consumer, DueMove, Lane, LaneDepth, LossWatch, Message, SpreadItem } from "./bus.ts";
import { AppError } from "../runtime/errors.ts";
import { createDelivery } from "./delivery.ts";
import type { DoneResult, RetryFailure } from "./delivery.ts";
import { bury, fail, finish, publish, requeue, take } from "./key-state.ts";
import type { KeyState, Step } from "./key-state.ts";
import { MemoryQueue } from "./memory-queue.ts";
import type { BusOptions, DeadLetter, DeadLetters } from "./options.ts";
import { partitionOf } from "./partition.ts";
import { backoffMs, checkTimings } from "./timings.ts";
import { tickMessage } from "./tick.ts";

/** Throws ConfigError when the timings contradict each other. */
export function createMemoryBus(options: BusOptions): Bus & BeatStore & LossWatch & DeadLetters {
  return new MemoryBus(options);
}

interface DueItem {
  readonly at: number;
  readonly message: Message;
}

interface OpenConsumer {
  readonly options: ConsumeOptions;
  readonly abort: AbortController;
  open: number;
  turnAt: number;
}

class MemoryBus implements Bus, BeatStore, LossWatch, DeadLetters {
  readonly #options: BusOptions;
  readonly #states = new Map<string, KeyState>();
  readonly #queue = new MemoryQueue();
  readonly #due = new Map<string, DueItem>();
  readonly #retryAt = new Map<string, number>();
  readonly #seen = new Map<string, string>();
  readonly #fired = new Map<string, number>();
  readonly #consumers = new Set<OpenConsumer>();
  #fencing = 0;
  #lease: { readonly holder: string; readonly until: number } | undefined;

  constructor(options: BusOptions) {
    checkTimings(options.timings);
    this.#options = options;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  publish(messages: readonly Message[]): Promise<void> {
    const unknown = messages.find(({ kind }) => this.#options.topology[kind] === undefined);
    if (unknown) return Promise.reject(new AppError("PS_STREAM_UNKNOWN_KIND", `no streams for kind ${unknown.kind}`));
    for (const message of messages) {
      const id = idOf(message);
      this.#apply(id, publish(this.#states.get(id), message, this.#options.timings));
    }
    this.#pump();
    return Promise.resolve();
  }

  consume(options: ConsumeOptions): Promise<Consumer> {
    const consumer: OpenConsumer = { options, abort: new AbortController(), open: 0, turnAt: this.#options.clock.monotonic() };
    this.#consumers.add(consumer);
    const loop = this.#retryLoop(consumer);
    this.#pump();
    const { clock } = this.#options;
    return Promise.resolve({
      stop: async () => {
        this.#consumers.delete(consumer);
        consumer.abort.abort();
        await loop;
        while (consumer.open > 0) await pause(5, new AbortController().signal);
      },
      get idleForMs() {
        return clock.monotonic() - consumer.turnAt;
      },
    });
  }

  spread(kind: string, items: readonly SpreadItem[]): Promise<void> {
    const now = this.#options.clock.monotonic();
    for (const { namespace, name, uid, afterMs } of items) {
      const message: Message = {
        kind,
        namespace,
        name,
        uid,
        cause: "resync",
        lane: "bulk",
        waking: false,
        eventId: "resync",
        traceparent: "",
      };
      this.#due.set(`~${idOf(message)}`, { at: now + afterMs, message });
    }
    return Promise.resolve();
  }

  async moveDue(): Promise<DueMove> {
    const now = this.#options.clock.monotonic();
    const due = [...this.#due].filter(([, item]) => item.at <= now);
    for (const [id] of due) this.#due.delete(id);
    for (const [id, { message }] of due) {
      const state = this.#states.get(id);
      // A held key goes on where it was; its own timer or a resync is an event like any other.
      if (state?.phase === "held") this.#apply(id, requeue(state));
      else await this.publish([message]);
    }
    this.#pump();
    const next = [...this.#due.values()].reduce((first, item) => Math.min(first, item.at), Number.POSITIVE_INFINITY);
    return { moved: due.length, nextInMs: Number.isFinite(next) ? next - now : undefined };
  }

  seen(kind: string, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const key of keys) {
      const digest = this.#seen.get(`${kind} ${key}`);
      if (digest !== undefined) found.set(key, digest);
    }
    return Promise.resolve(found);
  }

  depth(): Promise<readonly LaneDepth[]> {
    const rows = new Map<string, { -readonly [member in keyof LaneDepth]: LaneDepth[member] }>();
    for (const [kind, partitions] of Object.entries(this.#options.topology)) {
      for (let partition = 0; partition < partitions; partition += 1) {
        for (const lane of ["urgent", "bulk"] as const)
          rows.set(`${kind} ${partition} ${lane}`, { kind, partition, lane, lag: 0, pending: 0, oldestMs: 0 });
      }
    }
    for (const { phase, message } of this.#states.values()) {
      const row = rows.get(`${message.kind} ${this.#partition(message)} ${message.lane}`);
      if (row && phase === "queued") row.lag += 1;
      if (row && (phase === "running" || phase === "retrying")) row.pending += 1;
    }
    return Promise.resolve([...rows.values()]);
  }

  /** Ends every loop; what is open or waiting is gone with the process anyway. */
  close(): Promise<void> {
    for (const consumer of this.#consumers) consumer.abort.abort();
    this.#consumers.clear();
    return Promise.resolve();
  }

  acquireLease(holder: string, ttlMs: number): Promise<boolean> {
    const now = this.#options.clock.monotonic();
    const free = !this.#lease || this.#lease.until <= now || this.#lease.holder === holder;
    if (free) this.#lease = { holder, until: now + ttlMs };
    return Promise.resolve(free);
  }

  releaseLease(holder: string): Promise<void> {
    if (this.#lease?.holder === holder) this.#lease = undefined;
    return Promise.resolve();
  }

  now(): Promise<number> {
    return Promise.resolve(this.#options.clock.now());
  }

  async fireTick(tick: { readonly kind: string; readonly schedule: string; readonly plannedAt: number }): Promise<boolean> {
    const key = `${tick.kind} ${tick.schedule}`;
    if (tick.plannedAt <= (this.#fired.get(key) ?? Number.NEGATIVE_INFINITY)) return false;
    this.#fired.set(key, tick.plannedAt);
    await this.publish([tickMessage(tick)]);
    return true;
  }

  lastFired(kind: string, schedule: string): Promise<number | undefined> {
    return Promise.resolve(this.#fired.get(`${kind} ${schedule}`));
  }

  list(kind: string): Promise<readonly DeadLetter[]> {
    const dead = [...this.#states.values()].filter(({ phase, message }) => phase === "dead" && message.kind === kind);
    return Promise.resolve(dead.map(letterOf));
  }

  show(kind: string, namespace: string, name: string): Promise<DeadLetter | undefined> {
    const state = this.#states.get(`${kind} ${namespace}/${name}`);
    return Promise.resolve(state?.phase === "dead" ? letterOf(state) : undefined);
  }

  async replay(kind: string, namespace: string, name: string): Promise<boolean> {
    const letter = await this.show(kind, namespace, name);
    if (letter) await this.publish([{ ...letter.message, cause: "replay", lane: "urgent", waking: true }]);
    return letter !== undefined;
  }

  async drop(kind: string, namespace: string, name: string): Promise<boolean> {
    const letter = await this.show(kind, namespace, name);
    if (letter) this.#states.delete(`${kind} ${namespace}/${name}`);
    return letter !== undefined;
  }

  /** Memory is never lost while the process lives. */
  onLoss(): void {
    return undefined;
  }

  #partition(message: Message): number {
    return partitionOf(message.namespace, message.name, this.#options.topology[message.kind] ?? 1);
  }

  #apply(id: string, step: Step): void {
    if (step.state) this.#states.set(id, step.state);
    else this.#states.delete(id);
    if (step.state?.phase !== "retrying") this.#retryAt.delete(id);
    if (step.enqueue) this.#queue.push(id, step.enqueue, this.#options.clock.monotonic());
  }

  // Hands out what waits to whoever has a free slot; called after anything that may have changed either.
  #pump(): void {
    for (const consumer of this.#consumers) {
      consumer.turnAt = this.#options.clock.monotonic();
      while (consumer.open < consumer.options.slots) {
        const next = this.#queue.next((id) => this.#takable(id, consumer.options.kinds));
        if (!next) break;
        this.#deliver(consumer, next.id, next.waitedSince);
      }
    }
  }

  #takable(id: string, kinds: readonly string[]): "take" | "leave" | "drop" {
    const state = this.#states.get(id);
    if (state?.phase !== "queued") return "drop";
    return kinds.includes(state.message.kind) ? "take" : "leave";
  }

  #deliver(consumer: OpenConsumer, id: string, waitedSince: number): void {
    const queued = this.#states.get(id);
    if (!queued) return;
    const state = take(queued);
    this.#states.set(id, state);
    consumer.open += 1;
    this.#fencing += 1;
    const hold = {
      message: state.message,
      partition: this.#partition(state.message),
      fencing: this.#fencing,
      attempts: state.attempts,
      crashes: state.crashes,
      waitedMs: this.#options.clock.monotonic() - waitedSince,
      signal: new AbortController().signal,
    };
    const endings = {
      done: (result: DoneResult) => this.#done(id, result),
      retry: (failure: RetryFailure) => this.#retry(id, failure),
      bury: ({ cause }: { readonly cause: string }) =>
        this.#end(id, (current) => bury(current, this.#failure(cause, false, false), this.#options.timings)),
      handBack: () => this.#end(id, requeue),
      writableUntil: () => Number.POSITIVE_INFINITY,
    };
    const delivery = createDelivery(hold, endings, () => {
      consumer.open -= 1;
      this.#pump();
    });
    consumer.options.onDelivery(delivery);
  }

  #end(id: string, step: (state: KeyState) => Step): Promise<void> {
    const state = this.#states.get(id);
    if (state) this.#apply(id, step(state));
    return Promise.resolve();
  }

  async #done(id: string, result: DoneResult): Promise<void> {
    const message = this.#states.get(id)?.message;
    await this.#end(id, finish);
    if (result.gone === true) this.#seen.delete(id);
    else if (result.digest !== undefined) this.#seen.set(id, result.digest);
    this.#due.delete(`~${id}`);
    this.#due.delete(id);
    if (message && result.requeueAfterMs !== undefined) this.#timer(id, message, result.requeueAfterMs);
  }

  async #retry(id: string, failure: RetryFailure): Promise<void> {
    const { timings, clock } = this.#options;
    await this.#end(id, (state) => fail(state, this.#failure(failure.cause, failure.counted, failure.afterMs !== undefined), timings));
    const state = this.#states.get(id);
    if (state?.phase === "held") this.#timer(id, state.message, failure.afterMs ?? timings.backoffMaxMs);
    if (state?.phase === "retrying") this.#retryAt.set(id, clock.monotonic() + backoffMs(timings, id, Math.max(1, state.attempts)));
  }

  #failure(cause: string, counted: boolean, held: boolean): Parameters<typeof fail>[1] {
    return { cause, counted, held, now: this.#options.clock.now() };
  }

  #timer(id: string, message: Message, afterMs: number): void {
    const lane: Lane = "urgent";
    this.#due.set(id, { at: this.#options.clock.monotonic() + afterMs, message: { ...message, lane, waking: true, cause: "timer" } });
  }

  async #retryLoop(consumer: OpenConsumer): Promise<void> {
    const { clock, timings } = this.#options;
    while (!consumer.abort.signal.aborted) {
      await pause(Math.min(timings.reclaimEveryMs, 1000), consumer.abort.signal);
      consumer.turnAt = clock.monotonic();
      for (const [id, at] of this.#retryAt) {
        const state = this.#states.get(id);
        if (at <= clock.monotonic() && state) this.#apply(id, requeue(state));
      }
      this.#pump();
    }
  }
}

function letterOf({ message, lastFailure, attempts, crashes, firstFailureAt, lastFailureAt }: KeyState): DeadLetter {
  return { message, cause: lastFailure, attempts, crashes, firstFailureAt, buriedAt: lastFailureAt };
}

function idOf(message: Message): string {
  return `${message.kind} ${message.namespace}/${message.name}`;
}
