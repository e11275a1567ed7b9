// Endings of deliveries, gathered per partition: one script for up to 64 of them, or after two milliseconds.
// An ending that cannot be delivered is repeated while the hold can still be ours; after that reclaim has the entry anyway.
import { after, pause } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { AppError } from "../runtime/errors.ts";
import { isLoss, isTransient } from "./redis-connection.ts";
import { asList } from "./redis-partition.ts";
import type { RedisPartition } from "./redis-partition.ts";
import { END } from "./redis-scripts.ts";

const BATCH = 64;
const FLUSH_MS = 2;
const REPEAT_MS = 50;

/** The nine arguments of one ending, as END documents them. */
export type EndingArgs = readonly (string | number)[];

interface Waiting {
  readonly args: EndingArgs;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One per partition. */
export class RedisEndings {
  readonly #partition: RedisPartition;
  readonly #clock: Clock;
  readonly #repeatForMs: number;
  #waiting: Waiting[] = [];
  #cancel: (() => void) | undefined;

  constructor(partition: RedisPartition, clock: Clock, repeatForMs: number) {
    this.#partition = partition;
    this.#clock = clock;
    this.#repeatForMs = repeatForMs;
  }

  /** Resolves when Redis has it; rejects with PS_STREAM_LOCK_LOST when another holder's token stands there. */
  end(args: EndingArgs): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ args, resolve, reject });
      if (this.#waiting.length >= BATCH) this.#flush();
      else this.#cancel ??= after(FLUSH_MS, () => this.#flush());
    });
  }

  #flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length > 0) void this.#send(batch);
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const reply = asList(await this.#persist(batch.flatMap(({ args }) => args)));
      for (const [index, { resolve, reject }] of batch.entries()) {
        if (reply[index] === 1) resolve();
        else reject(new AppError("PS_STREAM_LOCK_LOST", "the key has another holder, this ending counts for nothing"));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #persist(args: EndingArgs): Promise<unknown> {
    const until = this.#clock.monotonic() + this.#repeatForMs;
    for (;;) {
      try {
        return await this.#partition.call(END, args);
      } catch (error) {
        if (isLoss(error) || !isTransient(error) || this.#clock.monotonic() > until) throw error;
        await pause(REPEAT_MS, new AbortController().signal);
      }
    }
  }
}
