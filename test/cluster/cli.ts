// `build`: find or build the binaries. `start`: a control plane until interrupted, its kubeconfig path on stdout.
import { ensureBinaries, SetupError } from "./binaries.ts";
import { startCluster } from "./cluster.ts";

async function main(command: string | undefined): Promise<number> {
  if (command === "build") {
    await ensureBinaries();
    return 0;
  }
  if (command !== "start") {
    process.stderr.write("usage: cli.ts build | start\n");
    return 2;
  }
  const interrupted = new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
  const cluster = await startCluster({ controllerManager: true });
  process.stdout.write(`${cluster.kubeconfig}\n`);
  await interrupted;
  await cluster.stop();
  return 0;
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
}
