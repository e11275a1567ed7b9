// The control plane from the command line, for looking around by hand; USAGE says what each command does. Answers go to
// stdout, everything else to stderr. Exit code 1: an error, or nothing runs; 2: wrong usage.
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { SetupError } from "../support/setup-error.ts";
import { GiveUpError, waitFor } from "../support/wait.ts";
import { ensureAll } from "./binaries.ts";
import { startCluster } from "./cluster.ts";
import { givenKubeconfig } from "./given.ts";
import { detachedLog, readState, removeState, writeState } from "./state.ts";

const USAGE = `usage: cli.ts COMMAND
  build               find the binaries or build them
  start [--detach]    start a control plane; prints the path of its kubeconfig; without --detach until interrupted
  stop                stop it
  status              say whether one runs
  kubeconfig          print the path of its kubeconfig
With KUBECONFIG set, that cluster is used and nothing is built or started.
`;
const STOP_MS = 30_000;
const NONE = "no control plane runs; start one with `make cluster-start`.";

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number> | number>> = {
  build,
  start,
  stop,
  status,
  kubeconfig,
};

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function build(): Promise<number> {
  if (givenKubeconfig() === undefined) await ensureAll();
  return 0;
}

async function start(args: readonly string[]): Promise<number> {
  const running = givenKubeconfig() ?? readState()?.kubeconfigPath;
  if (running !== undefined) {
    say("a cluster is there already; starting nothing.");
    print(running);
    return 0;
  }
  // Here and not only in the child, whose output nobody sees.
  await ensureAll();
  return args.includes("--detach") ? startDetached() : startHere();
}

async function startHere(): Promise<number> {
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
  const cluster = await startCluster({ audit: true, controllerManager: true });
  writeState(cluster);
  say(`control plane ready at ${cluster.serverUrl}, data and logs in ${cluster.dir}`);
  print(cluster.kubeconfigPath);
  await interrupted;
  await cluster.stop();
  removeState();
  return 0;
}

async function startDetached(): Promise<number> {
  const path = detachedLog();
  const log = openSync(path, "w");
  const child = spawn(process.execPath, [import.meta.filename, "start"], { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  const state = await waitFor(
    "the control plane to be ready",
    () => {
      if (child.exitCode !== null) throw new GiveUpError(`the control plane did not start: ${readFileSync(path, "utf8").trim()}`);
      return readState();
    },
    { timeoutMs: 90_000 },
  );
  child.unref();
  say(`control plane ready at ${state.serverUrl}, data and logs in ${state.dir}; stop it with \`make cluster-stop\``);
  print(state.kubeconfigPath);
  return 0;
}

async function stop(): Promise<number> {
  const state = readState();
  if (state === undefined) {
    say("no control plane runs.");
    return 0;
  }
  process.kill(state.pid, "SIGTERM");
  await waitFor("the control plane to end", () => readState() === undefined, { timeoutMs: STOP_MS });
  say("control plane stopped.");
  return 0;
}

function status(): number {
  const state = readState();
  say(state === undefined ? NONE : `control plane at ${state.serverUrl}, process ${state.pid}, data and logs in ${state.dir}`);
  return state === undefined ? 1 : 0;
}

function kubeconfig(): number {
  const path = givenKubeconfig() ?? readState()?.kubeconfigPath;
  if (path === undefined) say(NONE);
  else print(path);
  return path === undefined ? 1 : 0;
}

async function main([name = "", ...args]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return command(args);
  process.stderr.write(USAGE);
  return 2;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const foreseen = error instanceof SetupError || error instanceof GiveUpError;
  say(foreseen ? error.message : String(error instanceof Error ? error.stack : error));
  process.exitCode = 1;
}
