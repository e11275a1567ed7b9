// When a periodic job is due: pure. An interval such as 60m counts from the epoch, so that several beats agree without
// talking; a five-field cron expression is read in UTC.
import { Cron } from "croner";
import { ConfigError, messageOf } from "../runtime/errors.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export interface Schedule {
  readonly text: string;
  /** First planned instant strictly after `after` (ms since the epoch). */
  next(after: number): number;
  /** Roughly how long from one to the next, in ms. */
  readonly periodMs: number;
}

/** Parses an interval (number and unit) or a five-field cron expression; ConfigError names `key` otherwise. */
export function parseSchedule(key: string, text: string): Schedule {
  const interval = /^(\d+)([smhd])$/u.exec(text.trim());
  return interval ? intervalSchedule(key, text, interval) : cronSchedule(key, text);
}

function intervalSchedule(key: string, text: string, match: RegExpExecArray): Schedule {
  const periodMs = Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
  if (periodMs < 1000) throw new ConfigError("PS_CONFIG_SCHEDULE", `${key}: an interval must be at least 1s, not ${text}`);
  return { text, periodMs, next: (after) => (Math.floor(after / periodMs) + 1) * periodMs };
}

function cronSchedule(key: string, text: string): Schedule {
  if (text.trim().split(/\s+/u).length !== 5) {
    throw new ConfigError("PS_CONFIG_SCHEDULE", `${key}: neither an interval such as 60m nor a five-field cron expression: ${text}`);
  }
  let cron: Cron;
  try {
    cron = new Cron(text, { timezone: "UTC", paused: true });
  } catch (error) {
    throw new ConfigError("PS_CONFIG_SCHEDULE", `${key}: ${messageOf(error)}`, { cause: error });
  }
  const next = (after: number): number => cron.nextRun(new Date(after))?.getTime() ?? Number.POSITIVE_INFINITY;
  const first = next(0);
  return { text, next, periodMs: next(first) - first };
}
