// Child processes that cannot outlive the test run: they die with their parent, even when that is killed by SIGKILL.
// Three nets, since none catches everything: the kernel's parent-death signal (setpriv of util-linux), an exit hook, and the
// sweep of scratch.ts at the next start. The death signal follows the thread that spawned: start servers on the main thread.
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { recordServer } from "./scratch.ts";

const RUNNER_CHECK_MS = 500;
const BOUND = hasSetpriv() ? ["setpriv", "--pdeathsig", "KILL"] : [];
const LIVE = new Set<ChildProcess>();
installNets();

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** File that takes stdout and stderr; discarded without one. */
  readonly logFile?: string;
  readonly cwd?: string;
  /** Folder of makeScratch that belongs to this child, for the sweep of a later run. */
  readonly scratch?: string;
}

/** The same command line, bound to this process' life where the system can do that. */
export function boundCommand(command: string, args: readonly string[]): [string, string[]] {
  const [program = command, ...rest] = [...BOUND, command, ...args];
  return [program, rest];
}

/** Starts a program bound to this process' life. A missing program ends with exit code 127. */
export function startChild(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const output = options.logFile === undefined ? "ignore" : openSync(options.logFile, "a");
  const child = spawn(...boundCommand(command, args), {
    stdio: ["ignore", output, output],
    env: { ...(options.env ?? process.env) },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (typeof output === "number") closeSync(output);
  LIVE.add(child);
  child.once("exit", () => LIVE.delete(child));
  if (options.scratch !== undefined && child.pid !== undefined) recordServer(options.scratch, child.pid);
  return child;
}

/** True until the process has been seen to end. */
export function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Sends the signal, and SIGKILL when it does not end in time; resolves with the exit code (undefined: by signal). */
export async function stopChild(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM", timeoutMs = 15_000): Promise<number | undefined> {
  if (!isRunning(child)) return child.exitCode ?? undefined;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  await ended;
  clearTimeout(timer);
  return child.exitCode ?? undefined;
}

// Below the range that the kernel gives to outgoing connections (32768 and up on Linux): the port of a server that is
// down for a fault test must still be free when it comes back.
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;

/** Loopback ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const server = await listen(port);
    if (server === undefined) continue;
    held.push(server);
    ports.push(port);
  }
  await Promise.all(held.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  return ports;
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

function hasSetpriv(): boolean {
  try {
    execFileSync("setpriv", ["--pdeathsig", "KILL", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function installNets(): void {
  process.once("exit", () => {
    for (const child of LIVE) child.kill("SIGKILL");
  });
  if (BOUND.length === 0) {
    // Exit hooks do not run on a signal's default action.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  }
  // A killed runner of `node --test` leaves the processes of its test files behind, working for nobody, servers and all.
  if (process.env["NODE_TEST_CONTEXT"] !== undefined) {
    const runner = process.ppid;
    setInterval(() => {
      if (process.ppid !== runner) process.exit(1);
    }, RUNNER_CHECK_MS).unref();
  }
}
