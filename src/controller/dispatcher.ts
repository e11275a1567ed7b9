// Changes → predicates → keys → bus. Never waits for the bus: needs are kept by key in memory and flushed in batches,
// so a store that is away loses nothing and costs a watch nothing (AC-36, AC-42). Coalesces what a burst repeats.
import { randomBytes } from "node:crypto";
import { pause } from "../runtime/abort.ts";
import type { Logger } from "../runtime/log.ts";
import { metrics } from "../runtime/metrics.ts";
import type { Service } from "../runtime/service.ts";
import type { Bus, Message } from "../streams/bus.ts";
import type { DomainSettings, Kind, Mapped, ObjectChange } from "../resources/kind.ts";
import { ownChange } from "./predicates.ts";
import type { OwnChange } from "./predicates.ts";

const BATCH = 500;
const RETRY_MS = 500;

export interface DispatcherOptions {
  readonly bus: Bus;
  readonly settings: DomainSettings;
  readonly log: Logger;
}

export class Dispatcher implements Service {
  readonly name = "dispatcher";
  readonly #options: DispatcherOptions;
  readonly #needs = new Map<string, Message>();
  #abort = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  start(): Promise<void> {
    this.#abort = new AbortController();
    this.#loop = this.#run(this.#abort.signal);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake();
    await this.#loop;
  }

  /** Keys that wait in memory for the store. */
  get waiting(): number {
    return this.#needs.size;
  }

  /** A change of one of our kinds: its own key, by the predicates, and every key it maps to. */
  dispatch(kind: Kind, change: ObjectChange): void {
    const own = ownChange(change, `${this.#options.settings.domain}/ignore`);
    const origin = newOrigin();
    const { namespace = "", name = "", uid = "" } = change.object.metadata;
    this.#options.log.debug({ kind: kind.name, namespace, name, uid, eventId: origin.eventId, change: own ?? "none" }, "event seen");
    if (own) this.#add({ kind: kind.name, namespace, name, uid, cause: own, ...laneOf(own), ...origin });
    this.map(kind.mapTo(change, this.#options.settings), origin);
  }

  /** Keys that a change makes dirty: bulk, waking where it says so. */
  map(keys: readonly Mapped[], origin: Origin = newOrigin()): void {
    for (const key of keys) this.#add({ ...key, uid: key.uid ?? "", lane: "bulk", ...origin });
  }

  #add(message: Message): void {
    const id = `${message.kind} ${message.namespace}/${message.name}`;
    const waiting = this.#needs.get(id);
    this.#needs.set(id, waiting ? merge(waiting, message) : message);
    this.#wake();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#needs.size === 0) await this.#untilNeeded(signal);
      const batch = [...this.#needs].slice(0, BATCH);
      if (batch.length > 0 && !(await this.#publish(batch))) await pause(RETRY_MS, signal);
    }
  }

  async #untilNeeded(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    // One turn of the loop: what the same chunk of the watch holds is published together.
    await pause(1, signal);
  }

  async #publish(batch: readonly (readonly [string, Message])[]): Promise<boolean> {
    for (const [id] of batch) this.#needs.delete(id);
    try {
      await this.#options.bus.publish(batch.map(([, message]) => message));
    } catch (err) {
      for (const [id, message] of batch) {
        const newer = this.#needs.get(id);
        this.#needs.set(id, newer ? merge(message, newer) : message);
      }
      this.#options.log.warn({ err, waiting: this.#needs.size }, "publish failed, kept in memory");
      return false;
    }
    for (const [, message] of batch) {
      metrics.published.inc({ kind: message.kind, lane: message.lane });
      this.#options.log.info(
        {
          kind: message.kind,
          namespace: message.namespace,
          name: message.name,
          uid: message.uid,
          eventId: message.eventId,
          cause: message.cause,
        },
        "event published",
      );
    }
    return true;
  }
}

interface Origin {
  readonly eventId: string;
  readonly traceparent: string;
}

function newOrigin(): Origin {
  const trace = randomBytes(16).toString("hex");
  return { eventId: trace.slice(0, 16), traceparent: `00-${trace}-${randomBytes(8).toString("hex")}-01` };
}

// A change of status by somebody else is the object's change, but nobody waits for it as for a spec change.
function laneOf(own: Exclude<OwnChange, undefined>): Pick<Message, "lane" | "waking"> {
  if (own === "gone") return { lane: "bulk", waking: true };
  return { lane: "urgent", waking: true };
}

/** The stronger of two needs of one key; two uids make it "any" (design.md 3.2, uid). */
function merge(older: Message, newer: Message): Message {
  return {
    ...newer,
    uid: older.uid === newer.uid ? newer.uid : "",
    lane: older.lane === "urgent" ? "urgent" : newer.lane,
    waking: older.waking || newer.waking,
  };
}
