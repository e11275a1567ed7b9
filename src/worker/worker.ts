// The worker role: consumes every partition of every enabled kind, bounds what runs at once with p-limit, drains on stop.
// The bus hands over locked deliveries; executor.ts ends them.
import pLimit from "p-limit";
import type { LimitFunction } from "p-limit";
import { after } from "../runtime/abort.ts";
import type { Logger } from "../runtime/log.ts";
import type { Service } from "../runtime/service.ts";
import type { Bus, Consumer, Delivery } from "../streams/bus.ts";
import type { Executor } from "./executor.ts";

export interface WorkerOptions {
  readonly bus: Bus;
  readonly executor: Executor;
  readonly kinds: readonly string[];
  /** Objects reconciled at once. */
  readonly concurrency: number;
  /** Drain time: after it, what still runs is aborted and handed back (AC-6). */
  readonly graceMs: number;
  readonly log: Logger;
}

export class Worker implements Service {
  readonly name = "worker";
  readonly #options: WorkerOptions;
  readonly #limit: LimitFunction;
  #abort = new AbortController();
  #consumer: Consumer | undefined;
  #stopping = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#limit = pLimit(options.concurrency);
  }

  async start(): Promise<void> {
    this.#stopping = false;
    this.#abort = new AbortController();
    this.#consumer = await this.#options.bus.consume({
      kinds: this.#options.kinds,
      // A little headroom: the next delivery is locked and ready when a slot frees, and few are hostage to this pod.
      slots: this.#options.concurrency + Math.ceil(this.#options.concurrency / 8),
      onDelivery: (delivery) => this.#accept(delivery),
    });
  }

  /** Takes nothing more at once; hands back what has not started; waits for the rest up to the grace period. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const consumer = this.#consumer;
    this.#consumer = undefined;
    if (!consumer) return;
    const cancel = after(this.#options.graceMs, () => this.#abort.abort());
    await consumer.stop();
    cancel();
  }

  /** Undefined while the consume loop makes progress (AC-50). */
  stalled(limitMs: number): string | undefined {
    const idle = this.#consumer?.idleForMs ?? 0;
    return idle > limitMs ? `no read completed for ${Math.round(idle / 1000)} s` : undefined;
  }

  #accept(delivery: Delivery): void {
    this.#options.log.info(
      {
        kind: delivery.message.kind,
        namespace: delivery.message.namespace,
        name: delivery.message.name,
        eventId: delivery.message.eventId,
      },
      "event received",
    );
    void this.#limit(async () => {
      if (this.#stopping) await this.#handBack(delivery);
      else await this.#options.executor.run(delivery, this.#abort.signal);
    });
  }

  async #handBack(delivery: Delivery): Promise<void> {
    await delivery.handBack().catch((err: unknown) => this.#options.log.warn({ err }, "hand-back refused"));
  }
}
