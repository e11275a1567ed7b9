// One delivery from start to ending: runs the kind's reconcile under deadline, lock signal and write gate, and turns
// (result, error) into exactly one queue action in one switch. Relies on the bus for exclusivity; knows no kind by name.
import type { ObjectCache } from "../cache/cache.ts";
import { ConflictError, isUncounted } from "../kube/errors.ts";
import type { KubeClient } from "../kube/client.ts";
import { gatedClient } from "../kube/gate.ts";
import type { Context, DomainSettings, Kind, Result } from "../resources/kind.ts";
import { AbortedError, messageOf, RetryAfterError, TerminalError } from "../runtime/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { metrics } from "../runtime/metrics.ts";
import type { Bus, Delivery } from "../streams/bus.ts";
import { TICK_NAMESPACE } from "../streams/bus.ts";
import type { Templating } from "../templating/engine.ts";
import { toMessages } from "./enqueue.ts";
import { sweep } from "./sweep.ts";

export interface ExecutorOptions {
  readonly bus: Bus;
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly client: KubeClient;
  readonly cache: ObjectCache;
  readonly templating: Templating;
  readonly settings: DomainSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timeoutMs: number;
  /** Period over which a sweep spreads a kind's keys, per kind, in ms. */
  readonly resyncMs: (kind: string) => number;
}

const CONFLICT_RERUNS = 3;

type Outcome = "done" | "retry" | "wait" | "uncounted" | "bury" | "aborted";

export class Executor {
  readonly #options: ExecutorOptions;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  /** Never rejects: an ending that the bus refuses is logged, the entry comes back by itself. `stop` aborts the run. */
  async run(delivery: Delivery, stop: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { message } = delivery;
    const log = this.#options.log.child({
      kind: message.kind,
      namespace: message.namespace,
      name: message.name,
      uid: message.uid,
      eventId: message.eventId,
      partition: delivery.partition,
      attempt: delivery.attempts,
      fencing: delivery.fencing,
    });
    const started = clock.monotonic();
    log.info("reconcile started");
    metrics.waited.observe({ kind: message.kind, lane: message.lane }, delivery.waitedMs / 1000);
    metrics.inFlight.inc({ kind: message.kind });
    const outcome = await this.#attempt(delivery, log, stop);
    metrics.inFlight.dec({ kind: message.kind });
    const durationMs = Math.round(clock.monotonic() - started);
    metrics.reconciled.observe({ kind: message.kind, outcome }, durationMs / 1000);
    log.info({ result: outcome, durationMs }, "reconcile done");
  }

  async #attempt(delivery: Delivery, log: Logger, stop: AbortSignal): Promise<Outcome> {
    try {
      const result = await this.#reconcile(delivery, log, stop);
      await delivery.done(result);
      return "done";
    } catch (error) {
      return this.#failed(delivery, error, { log, stop }).catch((err: unknown) => {
        log.warn({ err }, "ending refused");
        return "aborted" as const;
      });
    }
  }

  async #reconcile(delivery: Delivery, log: Logger, stop: AbortSignal): Promise<Result> {
    const { message } = delivery;
    const kind = this.#options.kinds.get(message.kind);
    if (!kind) throw new TerminalError("PS_WORKER_UNKNOWN_KIND", `no such kind: ${message.kind}`);
    const signal = AbortSignal.any([delivery.signal, stop, AbortSignal.timeout(this.#options.timeoutMs)]);
    const context = this.#context(delivery, log, signal);
    if (message.namespace === TICK_NAMESPACE) {
      await sweep(kind, context, { bus: this.#options.bus, spreadMs: this.#options.resyncMs(kind.name) });
      return {};
    }
    return this.#untilSettled(() => kind.reconcile(message, context), signal);
  }

  // Somebody wrote first: what was computed is out of date, computing it again is the answer, and usually the last word.
  async #untilSettled(pass: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    for (let again = 0; again < CONFLICT_RERUNS && !signal.aborted; again += 1) {
      try {
        return await pass();
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
      }
    }
    return pass();
  }

  #context(delivery: Delivery, log: Logger, signal: AbortSignal): Context {
    const { bus, client, clock, cache, templating, settings } = this.#options;
    const gate = { signal, writableUntil: () => delivery.writableUntil(), clock };
    const origin = { eventId: delivery.message.eventId, traceparent: delivery.message.traceparent };
    return {
      client: gatedClient(client, gate),
      cache,
      templating,
      settings,
      clock,
      log,
      signal,
      enqueue: (keys) => bus.publish(toMessages(keys, origin)),
    };
  }

  // The one place where an error becomes a queue action.
  async #failed(delivery: Delivery, error: unknown, run: { readonly log: Logger; readonly stop: AbortSignal }): Promise<Outcome> {
    const { log, stop } = run;
    const cause = messageOf(error).slice(0, 500);
    if (stop.aborted) {
      await delivery.handBack();
      return "aborted";
    }
    if (error instanceof TerminalError) {
      log.error({ err: error }, "reconcile buried");
      await delivery.bury({ cause });
      return "bury";
    }
    if (error instanceof RetryAfterError) {
      log.warn({ err: error, afterMs: error.afterMs }, "reconcile deferred");
      await delivery.retry({ cause, counted: false, afterMs: error.afterMs });
      return "wait";
    }
    const uncounted = isUncounted(error) || error instanceof AbortedError || delivery.signal.aborted;
    log.warn({ err: error }, uncounted ? "reconcile interrupted" : "reconcile failed");
    await delivery.retry({ cause, counted: !uncounted });
    return uncounted ? "uncounted" : "retry";
  }
}
