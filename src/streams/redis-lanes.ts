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

export class LanePlanner {
  readonly #lanes: Readonly<Record<Lane, Source[]>>;
  readonly #blockMs: number;
  readonly #hot = new Set<Source>();
  #urgentRun = 0;
  #turn = 0;

  constructor(partitions: readonly RedisPartition[], blockMs: number) {
    this.#blockMs = blockMs;
    this.#lanes = {
      urgent: partitions.map((partition) => ({ partition, lane: "urgent", stream: partition.keys.urgent })),
      bulk: partitions.map((partition) => ({ partition, lane: "bulk", stream: partition.keys.bulk })),
    };
  }

  /** What to read for so many free slots (≥ 1). */
  plan(free: number): ReadPlan {
    const urgent = this.#waiting("urgent");
    const bulk = this.#waiting("bulk");
    if (bulk.length > 0 && (urgent.length === 0 || this.#urgentRun >= URGENT_PER_BULK)) {
      const share = urgent.length === 0 ? free : Math.min(free, Math.ceil(this.#urgentRun / URGENT_PER_BULK));
      return this.#fit(bulk, share, undefined);
    }
    if (urgent.length > 0) return this.#fit(urgent, bulk.length > 0 ? Math.min(free, 4 * URGENT_PER_BULK) : free, undefined);
    const all = [...this.#lanes.urgent, ...this.#lanes.bulk];
    // With fewer slots than streams, short turns over a part of them: each stream is asked within the normal block.
    const blockMs = free >= all.length ? this.#blockMs : Math.max(5, Math.floor((this.#blockMs * free) / all.length));
    return this.#fit(all, free, blockMs);
  }

  /** What the plan gave, by stream. */
  note(plan: ReadPlan, found: ReadonlyMap<string, number>): void {
    for (const source of plan.sources) {
      const entries = found.get(source.stream) ?? 0;
      if (entries >= plan.count) this.#hot.add(source);
      else this.#hot.delete(source);
      if (source.lane === "urgent") this.#urgentRun += entries;
      else if (entries > 0) this.#urgentRun = Math.max(0, this.#urgentRun - entries * URGENT_PER_BULK);
    }
    // Unblocked reads come here only while something is hot; the other urgent streams must be asked too.
    if (plan.blockMs === undefined && ++this.#turn % 8 === 0) for (const source of this.#lanes.urgent) this.#hot.add(source);
    if (plan.blockMs === undefined && this.#turn % 32 === 0) for (const source of this.#lanes.bulk) this.#hot.add(source);
  }

  #waiting(lane: Lane): Source[] {
    return this.#lanes[lane].filter((source) => this.#hot.has(source));
  }

  #fit(candidates: readonly Source[], free: number, blockMs: number | undefined): ReadPlan {
    const start = candidates.length === 0 ? 0 : this.#turn++ % candidates.length;
    const rotated = [...candidates.slice(start), ...candidates.slice(0, start)];
    const sources = rotated.slice(0, Math.max(1, free));
    return { sources, count: Math.max(1, Math.floor(free / sources.length)), blockMs };
  }
}
