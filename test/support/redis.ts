// A real redis-server on a free loopback port, bound to the life of the test run. With REDIS_URL set a plain `startRedis()`
// connects to that server instead; fault tests and special settings always need a server of their own.
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePorts, isRunning, startChild, stopChild } from "./child.ts";
import { makeScratch } from "./scratch.ts";
import { SetupError } from "./setup-error.ts";
import { GiveUpError, waitFor } from "./wait.ts";

const MISSING = "redis-server is missing: install the package redis-server, or set REDIS_URL.";

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Of the running server; 0 while it is down and for REDIS_URL. */
  readonly pid: number;
  /** Its data folder; empty for REDIS_URL. */
  readonly dir: string;
  /** Ends the server and removes its folder; safe twice. */
  stop(): Promise<void>;
  /** SIGKILL: nothing is saved. */
  kill(): Promise<void>;
  /** Starts again, after ending a running one, on the same port and folder; empty unless persistence was asked for. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
}

export interface RedisOptions {
  readonly port?: number;
  /** Existing folder for its data; kept by `stop`. Absent: a temporary one. */
  readonly dir?: string;
  /** Further command line settings; they override the defaults. */
  readonly args?: readonly string[];
  readonly binary?: string;
}

/** Resolves when the server answers PING; rejects with SetupError when there is no redis-server. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const given = process.env["REDIS_URL"];
  if (given !== undefined && given !== "" && Object.keys(options).length === 0) return new GivenRedis(given);
  const [free = 0] = await freePorts(1);
  const server = new LocalRedis(options.port ?? free, options);
  await server.restart();
  return server;
}

class LocalRedis implements RedisServer {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly #scratch: string;
  readonly #command: readonly [string, readonly string[]];
  #child: ChildProcess | undefined;

  constructor(port: number, options: RedisOptions) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#scratch = makeScratch("redis");
    this.dir = options.dir ?? this.#scratch;
    const defaults = [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dir",
      this.dir,
      "--save",
      "",
      "--appendonly",
      "no",
      "--maxmemory-policy",
      "noeviction",
    ];
    this.#command = [options.binary ?? "redis-server", [...defaults, ...(options.args ?? [])]];
  }

  get pid(): number {
    return this.#child && isRunning(this.#child) ? (this.#child.pid ?? 0) : 0;
  }

  async restart(): Promise<void> {
    await this.#end();
    const child = startChild(...this.#command, { scratch: this.#scratch, logFile: join(this.#scratch, "redis.log") });
    this.#child = child;
    let failed: string | undefined;
    child.once("error", () => (failed = MISSING));
    child.once("exit", (code) => (failed = code === 127 ? MISSING : `redis-server ended with exit code ${code}`));
    try {
      await waitFor("redis-server to answer", () => {
        if (failed !== undefined) throw new GiveUpError(failed);
        return answers(this.port);
      });
    } catch (error) {
      await this.stop();
      throw failed === MISSING ? new SetupError(MISSING, { cause: error }) : error;
    }
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  async kill(): Promise<void> {
    if (this.#child) await stopChild(this.#child, "SIGKILL");
  }

  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async #end(): Promise<void> {
    // A paused server would not see SIGTERM.
    this.resume();
    if (this.#child) await stopChild(this.#child);
  }
}

class GivenRedis implements RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid = 0;
  readonly dir = "";

  constructor(url: string) {
    this.url = url;
    this.port = Number(new URL(url).port || 6379);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  kill(): Promise<void> {
    return Promise.reject(notOurs());
  }

  restart(): Promise<void> {
    return Promise.reject(notOurs());
  }

  pause(): void {
    throw notOurs();
  }

  resume(): void {
    throw notOurs();
  }
}

function notOurs(): SetupError {
  return new SetupError("this needs a redis-server of its own: unset REDIS_URL.");
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.setTimeout(500, () => socket.destroy());
    socket.once("data", (data) => {
      resolve(data.toString().startsWith("+PONG"));
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}
