// The beat role: needs the store alone, no Kubernetes API. Moves what is due into the streams and fires ticks.
// Several may run; the lease decides who acts, and two acting for a moment do no harm: moves and ticks are atomic.
import { pause } from "../runtime/abort.ts";
import type { Logger } from "../runtime/log.ts";
import { metrics } from "../runtime/metrics.ts";
import type { Service } from "../runtime/service.ts";
import type { BeatStore, Bus } from "../streams/bus.ts";
import type { Schedule } from "./schedule.ts";

export interface BeatOptions {
  readonly bus: Bus & BeatStore;
  readonly holder: string;
  readonly leaseMs: number;
  /** Longest wait between two looks at the due index. */
  readonly everyMs: number;
  /** Kinds whose ticks this beat fires. */
  readonly schedules: ReadonlyMap<string, Schedule>;
  /** False for the leading controller's own ticks (mode daemon, both): it leads already and moves nothing. */
  readonly mover: boolean;
  readonly log: Logger;
}

export class Beat implements Service {
  readonly name: string;
  readonly #options: BeatOptions;
  #abort = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #acting = false;

  constructor(options: BeatOptions) {
    this.#options = options;
    this.name = options.mover ? "beat" : "ticks";
  }

  start(): Promise<void> {
    this.#abort = new AbortController();
    this.#loop = this.#run(this.#abort.signal);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
    if (this.#acting && this.#options.mover) {
      await this.#options.bus.releaseLease(this.#options.holder).catch(() => undefined);
    }
    this.#acting = false;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let waitMs = this.#options.everyMs;
      try {
        waitMs = await this.#turn();
      } catch (err) {
        // The store is away: nothing is lost, what is due fires late. Said once per turn, not per item.
        this.#options.log.warn({ err }, "beat turn failed");
      }
      await pause(waitMs, signal);
    }
  }

  async #turn(): Promise<number> {
    const { bus, holder, leaseMs, everyMs, mover } = this.#options;
    this.#acting = mover ? await bus.acquireLease(holder, leaseMs) : true;
    metrics.beating.set(this.#acting ? 1 : 0);
    if (!this.#acting) return everyMs;
    await this.#fireTicks();
    if (!mover) return everyMs;
    const { moved, nextInMs } = await bus.moveDue();
    metrics.dueMoved.inc(moved);
    return Math.max(10, Math.min(everyMs, nextInMs ?? everyMs));
  }

  async #fireTicks(): Promise<void> {
    const { bus, schedules, log } = this.#options;
    if (schedules.size === 0) return;
    const now = await bus.now();
    for (const [kind, schedule] of schedules) {
      const plannedAt = await this.#planned(kind, schedule, now);
      if (plannedAt === undefined) continue;
      if (!(await bus.fireTick({ kind, schedule: schedule.text, plannedAt }))) continue;
      metrics.ticks.inc({ kind });
      log.info({ kind, plannedAt: new Date(plannedAt).toISOString() }, "tick fired");
    }
  }

  // Missed ticks fire once: the latest planned instant that has passed is the one that is fired (AC-34).
  async #planned(kind: string, schedule: Schedule, now: number): Promise<number | undefined> {
    const last = await this.#options.bus.lastFired(kind, schedule.text);
    let planned = schedule.next(last ?? now - schedule.periodMs);
    if (planned > now) return undefined;
    const latest = schedule.next(now - schedule.periodMs);
    if (latest <= now && latest > planned) planned = latest;
    return planned;
  }
}
