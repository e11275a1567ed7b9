// A real redis-server on a free loopback port, bound to the life of the test run.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:net";
import type { ChildProcess } from "node:child_process";
import { freePorts, startChild, stopChild } from "./child.ts";
import { waitFor } from "./wait.ts";

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  /** SIGKILL, nothing saved. */
  kill(): Promise<void>;
  /** Starts again on the same port, empty unless persistence was asked for. */
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
}

export interface RedisOptions {
  readonly args?: readonly string[];
  readonly binary?: string;
}

/** Resolves when the server answers PING; rejects with a sentence when redis-server is missing. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const [port = 0] = await freePorts(1);
  const dir = mkdtempSync(join(tmpdir(), "poolstream-redis-"));
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", ...(options.args ?? [])];
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = startChild(options.binary ?? "redis-server", args);
    let missing: Error | undefined;
    child.once("error", (error) => (missing = error));
    await waitFor("redis-server to answer", async () => {
      if (missing || child.exitCode === 127) throw new Error("redis-server is missing: install the package redis-server, or set REDIS_URL");
      return answers(port);
    });
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`, port,
    stop: async () => {
      await stopChild(child);
      rmSync(dir, { recursive: true, force: true });
    },
    kill: async () => void (await stopChild(child, "SIGKILL")),
    restart: start,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
  };
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
