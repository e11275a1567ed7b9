// Child processes that cannot outlive the test run: they die with their parent, even when that is killed by SIGKILL.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { openSync } from "node:fs";
import { createServer } from "node:net";
import { hasSetpriv } from "../cluster/binaries.ts";

const BOUND = hasSetpriv() ? ["setpriv", "--pdeathsig", "KILL"] : [];
const LIVE = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of LIVE) child.kill("SIGKILL");
});

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** File that takes stdout and stderr; discarded without one. */
  readonly logFile?: string;
  readonly cwd?: string;
}

/** Starts a program bound to this process' life. */
export function startChild(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const [program = command, ...rest] = [...BOUND, command, ...args];
  const output = options.logFile === undefined ? "ignore" : openSync(options.logFile, "a");
  const child = spawn(program, rest, {
    stdio: ["ignore", output, output],
    env: { ...(options.env ?? process.env) },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  LIVE.add(child);
  child.once("exit", () => LIVE.delete(child));
  return child;
}

/** Sends the signal, and SIGKILL when it does not end in time; resolves with the exit code (undefined: by signal). */
export async function stopChild(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM", timeoutMs = 15_000): Promise<number | undefined> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? undefined;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  await ended;
  clearTimeout(timer);
  return child.exitCode ?? undefined;
}

/** Loopback ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => new Promise<ReturnType<typeof createServer>>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
    })),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  return ports;
}
