// Connections and script calls. One client for commands, which fails fast while Redis is away, and one for blocking reads,
// which waits; both reconnect by themselves. Everything else in redis-*.ts speaks to Redis through this file.
import { Redis } from "ioredis";
import type { RedisOptions } from "ioredis";
import { AppError, messageOf } from "../runtime/errors.ts";
import type { Logger } from "../runtime/log.ts";
import { EPOCH_ERROR } from "./redis-lua.ts";
import type { Script } from "./redis-scripts.ts";

export interface ConnectionOptions {
  readonly url: string;
  readonly tls?: RedisOptions["tls"];
  readonly log: Logger;
}

const COMMAND_TIMEOUT_MS = 2000;
const MOST_RECONNECT_MS = 1000;

function common({ tls, log }: ConnectionOptions) {
  return {
    protocol: 2 as const,
    lazyConnect: true,
    connectTimeout: COMMAND_TIMEOUT_MS,
    ...(tls ? { tls } : {}),
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), MOST_RECONNECT_MS),
    // A replica that was the primary: reconnect, the address leads to the new one, and send the command again.
    reconnectOnError: (error: Error) =>
      error.message.startsWith("READONLY") || error.message.startsWith("UNBLOCKED") ? (2 as const) : false,
    connectionName: `poolstream-${String(log.bindings()["role"] ?? "bus")}`,
  };
}

/** For commands and scripts: rejects at once while disconnected, and after two seconds without an answer (AC-42). */
export function commandClient(options: ConnectionOptions): Redis {
  const client = new Redis(options.url, {
    ...common(options),
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  });
  return quiet(client, options.log, "command");
}

/** For blocking reads only: never `commandTimeout`; a silent socket is given up after three times the longest block. */
export function readerClient(options: ConnectionOptions, blockMs: number): Redis {
  const client = new Redis(options.url, { ...common(options), maxRetriesPerRequest: null, socketTimeout: Math.max(3 * blockMs, 2000) });
  return quiet(client, options.log, "reader");
}

// Without a listener an `error` event ends the process; the state is told by the commands that fail.
function quiet(client: Redis, log: Logger, name: string): Redis {
  client.on("error", (err: unknown) => log.debug({ err }, `redis ${name} connection failed`));
  return client;
}

/** Runs a script by its digest and loads it when the server does not know it (restart, SCRIPT FLUSH). */
export async function run(client: Redis, script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
  try {
    return await client.evalsha(script.sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!messageOf(error).startsWith("NOSCRIPT")) throw error;
    return client.eval(script.text, keys.length, ...keys, ...args);
  }
}

/** The store lost its data, or a part of it: groups and epoch must be opened anew (design.md 3.6). */
export function isLoss(error: unknown): boolean {
  const text = messageOf(error);
  return text.includes(EPOCH_ERROR) || text.includes("NOGROUP") || text.includes("no such key");
}

const FINAL = ["WRONGPASS", "NOPERM", "NOAUTH", "WRONGTYPE", "ERR "];

/** Redis is away, full, loading or failing over: the same call may succeed later. */
export function isTransient(error: unknown): boolean {
  const text = messageOf(error);
  return !FINAL.some((start) => text.startsWith(start));
}

/** What the server must be (AC-60): version 7, no eviction. Rejects with PS_STREAM_SERVER; warns about persistence. */
export async function checkServer(client: Redis, log: Logger): Promise<string> {
  const info = await client.info();
  const fact = (name: string): string => new RegExp(`^${name}:(\\S+)`, "mu").exec(info)?.[1] ?? "";
  const version = fact("redis_version");
  if (!(Number.parseInt(version, 10) >= 7)) {
    throw new AppError(
      "PS_STREAM_SERVER",
      `Redis ${version} cannot be used: version 7.0 or newer is needed, older ones report no group lag`,
    );
  }
  const policy = fact("maxmemory_policy");
  if (policy !== "noeviction" && fact("maxmemory") !== "0") {
    throw new AppError("PS_STREAM_SERVER", `Redis evicts by ${policy}: maxmemory-policy must be noeviction, or locks and states vanish`);
  }
  log.info({ version, policy, appendOnly: fact("aof_enabled") === "1" }, "redis server checked");
  return fact("run_id");
}

/** Connects; rejects with PS_STREAM_CONNECT and the reason. */
export async function connect(client: Redis): Promise<void> {
  let last: unknown;
  const remember = (error: unknown): void => void (last = error);
  client.on("error", remember);
  try {
    await client.connect();
  } catch (error) {
    const reason = last ?? error;
    throw new AppError("PS_STREAM_CONNECT", `cannot connect to Redis: ${messageOf(reason)}`, { cause: reason });
  } finally {
    client.off("error", remember);
  }
}
