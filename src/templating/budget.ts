// What one render may cost: evaluation steps and characters made. Both template styles draw on it, so that a hostile template
// ends in an error while others wait their turn (design.md part 8, AC-40). engine.ts makes one budget per render.
import { AppError } from "../runtime/errors.ts";

const MAX_STEPS = 200_000;
const MAX_CHARS = 1024 * 1024;
const MAX_MS = 80;
const LOOK_AT_CLOCK_EVERY = 256;
// Room for a chain of 101 vars, each a template of its own (spec resource-provider 8.8).
const MAX_DEPTH = 250;

/** Limits of one render; every method throws AppError PS_TEMPLATE_BUDGET once a limit is passed. */
export class Budget {
  #steps = 0;
  #chars = 0;
  #depth = 0;
  #nextLook = LOOK_AT_CLOCK_EVERY;
  readonly #monotonic: () => number;
  readonly #deadline: number;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
    this.#deadline = monotonic() + MAX_MS;
  }

  /** Counts evaluation work: one per node, or the number of items that a helper goes over. */
  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > MAX_STEPS) throw over("steps", MAX_STEPS);
    if (this.#steps < this.#nextLook) return;
    this.#nextLook = this.#steps + LOOK_AT_CLOCK_EVERY;
    if (this.#monotonic() > this.#deadline) throw over("milliseconds", MAX_MS);
  }

  /** Counts text that is about to be made: call it before the text exists. */
  chars(count: number): void {
    this.#chars += count;
    this.step();
    if (!(this.#chars <= MAX_CHARS)) throw over("characters", MAX_CHARS);
  }

  /** Runs `body` one level deeper. */
  nest<T>(body: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new AppError("PS_TEMPLATE_DEPTH", `the template nests more than ${MAX_DEPTH} deep`);
    try {
      return body();
    } finally {
      this.#depth -= 1;
    }
  }
}

function over(unit: string, limit: number): AppError {
  return new AppError("PS_TEMPLATE_BUDGET", `the template takes more than ${limit} ${unit}`);
}
