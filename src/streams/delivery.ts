// The hold on one key as the worker sees it: four endings, of which exactly one may be used, once.
// A bus supplies what each ending does; memory-bus.ts and redis-bus.ts share this.
import { AppError } from "../runtime/errors.ts";
import type { Delivery, Message } from "./bus.ts";

export type DoneResult = Parameters<Delivery["done"]>[0];
export type RetryFailure = Parameters<Delivery["retry"]>[0];

export interface Endings {
  done(result: DoneResult): Promise<void>;
  retry(failure: RetryFailure): Promise<void>;
  bury(failure: { readonly cause: string }): Promise<void>;
  handBack(): Promise<void>;
  writableUntil(): number;
}

export interface Hold {
  readonly message: Message;
  readonly partition: number;
  readonly fencing: number;
  readonly attempts: number;
  readonly crashes: number;
  readonly waitedMs: number;
  readonly signal: AbortSignal;
}

/** A second ending rejects with PS_STREAM_DELIVERY_ENDED. `onEnded` runs when the ending settled, well or not. */
export function createDelivery(hold: Hold, endings: Endings, onEnded: () => void): Delivery {
  let ended = false;
  const once = async (ending: () => Promise<void>): Promise<void> => {
    if (ended)
      throw new AppError("PS_STREAM_DELIVERY_ENDED", `the delivery of ${hold.message.kind} ${hold.message.name} has ended already`);
    ended = true;
    try {
      await ending();
    } finally {
      onEnded();
    }
  };
  return {
    ...hold,
    writableUntil: () => endings.writableUntil(),
    done: (result) => once(() => endings.done(result)),
    retry: (failure) => once(() => endings.retry(failure)),
    bury: (failure) => once(() => endings.bury(failure)),
    handBack: () => once(() => endings.handBack()),
  };
}
