// What both buses are built from, and the dead-letter face that the command line uses.
// bus.ts is the contract of delivering; timings.ts checks the timings.
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { Message, Topology } from "./bus.ts";
import type { BusTimings } from "./timings.ts";

export interface BusOptions {
  readonly topology: Topology;
  readonly timings: BusTimings;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One buried key (AC-7). Times in ms since the epoch, on the bus's clock. */
export interface DeadLetter {
  readonly message: Message;
  readonly cause: string;
  readonly attempts: number;
  readonly crashes: number;
  readonly firstFailureAt: number;
  readonly buriedAt: number;
}

export interface DeadLetters {
  list(kind: string): Promise<readonly DeadLetter[]>;
  show(kind: string, namespace: string, name: string): Promise<DeadLetter | undefined>;
  /** Puts the key back as a fresh urgent, waking entry; false when it is not buried. */
  replay(kind: string, namespace: string, name: string): Promise<boolean>;
  /** Forgets the dead letter; false when there is none. */
  drop(kind: string, namespace: string, name: string): Promise<boolean>;
}
