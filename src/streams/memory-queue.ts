// Two lanes of waiting keys. Urgent first; when both lanes wait, one slot in five is bulk's (design.md 3.4).
// A key may stand in it twice (promotion): what is not takable any more is dropped when met, as superseded entries are.
import type { Lane } from "./bus.ts";

export interface Waiting {
  readonly id: string;
  readonly waitedSince: number;
}

const BULK_TURN = 5;

export class MemoryQueue {
  readonly #lanes: Readonly<Record<Lane, Map<string, number>>> = { urgent: new Map(), bulk: new Map() };
  #turn = 0;

  push(id: string, lane: Lane, now: number): void {
    if (!this.#lanes[lane].has(id)) this.#lanes[lane].set(id, now);
  }

  /** The next key that `judge` takes, in lane order; what it drops leaves the queue, what it leaves stays. */
  next(judge: (id: string) => "take" | "leave" | "drop"): Waiting | undefined {
    this.#turn = (this.#turn + 1) % BULK_TURN;
    const order: readonly Lane[] = this.#turn === 0 ? ["bulk", "urgent"] : ["urgent", "bulk"];
    for (const lane of order) {
      const found = first(this.#lanes[lane], judge);
      if (found) return found;
    }
    return undefined;
  }
}

function first(lane: Map<string, number>, judge: (id: string) => "take" | "leave" | "drop"): Waiting | undefined {
  for (const [id, waitedSince] of lane) {
    const verdict = judge(id);
    if (verdict === "leave") continue;
    lane.delete(id);
    if (verdict === "take") return { id, waitedSince };
  }
  return undefined;
}
