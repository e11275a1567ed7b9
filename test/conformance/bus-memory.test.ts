// The bus contract on the memory bus: one process, so every "further process" is the same bus.
import { pino } from "pino";
import { systemClock } from "../../src/runtime/clock.ts";
import { createMemoryBus } from "../../src/streams/memory-bus.ts";
import { busConformance, TIMINGS, TOPOLOGY } from "./bus.ts";

busConformance({
  name: "memory",
  install: () => {
    const bus = createMemoryBus({ topology: TOPOLOGY, timings: TIMINGS, clock: systemClock, log: pino({ level: "silent" }) });
    return Promise.resolve({
      bus: async () => {
        await bus.open();
        return bus;
      },
      close: () => bus.close(),
    });
  },
});
