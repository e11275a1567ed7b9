// The logger. Facts are keys from a fixed list: kind namespace name uid eventId partition attempt durationMs err.
import { pino } from "pino";
import type { Logger as PinoLogger } from "pino";

export type Logger = PinoLogger;

export interface LogOptions {
  readonly level: string;
  readonly role: string;
}

/** JSON lines on stdout; errors keep code and stack under `err`. */
export function createLogger(options: LogOptions): Logger {
  return pino({
    level: options.level,
    base: { role: options.role },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: pino.stdSerializers.err },
  });
}
