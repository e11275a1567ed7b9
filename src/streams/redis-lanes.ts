// Which streams the next read asks for, and how many entries of each (design.md 3.4). Pure bookkeeping, no Redis.
// Urgent first; when both lanes wait, one slot in five is bulk's; streams that had more than was asked for come first;
// streams × COUNT never exceeds the free slots, so nothing is read that cannot be started.
import type { Lane } from "./bus.ts";
import type { RedisPartition } from "./redis-partition.ts";

export interface Source {
  readonly partition: RedisPartition;
  readonly lane: Lane;
  readonly stream: string;
}

export interface ReadPlan {
  readonly sources: readonly Source[];
  readonly count: number;
  /** Undefined: do not block. */
  readonly blockMs: number | undefined;
}

const URGENT_PER_BULK = 4;
const ROUND_MS = 500;

export class LanePlanner {
  readonly #lanes: Readonly<Record<Lane, Source[]>>;
  readonly #blockMs: number;
  /** Streams whose last read gave all that was asked for. */
  readonly #hot = new Set<Source>();
  /** Urgent entries since bulk had its turn. */
  #urgentRun = 0;
  /** Urgent streams looked at since the last bulk read. */
  #probed = 0;
  #turn = 0;
  #start = 0;

  constructor(partitions: readonly RedisPartition[], blockMs: number) {
    this.#blockMs = blockMs;
    this.#lanes = {
      urgent: partitions.map((partition) => ({ partition, lane: "urgent", stream: partition.keys.urgent })),
      bulk: partitions.map((partition) => ({ partition, lane: "bulk", stream: partition.keys.bulk })),
    };
  }

  /** What to read for so many free slots (≥ 1). */
  plan(free: number): ReadPlan {
    this.#turn += 1;
    const urgent = this.#waiting("urgent");
    const bulk = this.#waiting("bulk");
    if (urgent.length > 0) {
      // Whether bulk waits is found out by reading it when its share is due.
      return this.#urgentRun >= URGENT_PER_BULK
        ? this.#fit(this.#candidates("bulk", bulk), Math.min(free, Math.floor(this.#urgentRun / URGENT_PER_BULK)))
        : this.#fit(this.#candidates("urgent", urgent), Math.min(free, Math.max(URGENT_PER_BULK, free - Math.ceil(free / 5))));
    }
    if (bulk.length > 0) {
      // Urgent first: each of its streams is looked at once between two reads of bulk.
      return this.#probed < this.#lanes.urgent.length
        ? this.#fit(this.#lanes.urgent, free)
        : this.#fit(this.#candidates("bulk", bulk), free);
    }
    const all = [...this.#lanes.urgent, ...this.#lanes.bulk];
    // With fewer slots than streams, short turns over a part of them: each stream is asked twice a second.
    const blockMs = free >= all.length ? this.#blockMs : Math.max(5, (Math.min(this.#blockMs, ROUND_MS) * free) / all.length);
    return { ...this.#fit(all, free), blockMs };
  }

  /** What the plan gave, by stream. */
  note(plan: ReadPlan, found: ReadonlyMap<string, number>): void {
    let bulk = 0;
    for (const source of plan.sources) {
      const entries = found.get(source.stream) ?? 0;
      if (entries >= plan.count) this.#hot.add(source);
      else this.#hot.delete(source);
      if (source.lane === "urgent") this.#urgentRun += entries;
      else bulk += entries;
    }
    const lane = plan.sources[0]?.lane;
    if (plan.blockMs !== undefined || lane === "urgent") this.#probed += plan.sources.length;
    else {
      this.#probed = 0;
      this.#urgentRun = bulk === 0 ? 0 : Math.max(0, this.#urgentRun - bulk * URGENT_PER_BULK);
    }
  }

  #waiting(lane: Lane): Source[] {
    return this.#lanes[lane].filter((source) => this.#hot.has(source));
  }

  // The streams known to have more, and every other time all of the lane: none waits behind a busy one.
  #candidates(lane: Lane, hot: readonly Source[]): readonly Source[] {
    return hot.length === 0 || this.#turn % 2 === 0 ? this.#lanes[lane] : hot;
  }

  #fit(candidates: readonly Source[], free: number): ReadPlan {
    const start = this.#start % candidates.length;
    const sources = [...candidates.slice(start), ...candidates.slice(0, start)].slice(0, Math.max(1, free));
    // On by what was asked, so that the next turn asks the others.
    this.#start += sources.length < candidates.length ? sources.length : 1;
    return { sources, count: Math.max(1, Math.floor(free / sources.length)), blockMs: undefined };
  }
}
