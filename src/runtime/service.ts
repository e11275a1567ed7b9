// The start/stop contract of everything that runs (after River's start_stop).

/**
 * `start` resolves when ready. `stop` is safe before start and twice, and resolves when nothing of
 * the service runs any more. A service owns its timers and connections; nobody else starts any for it.
 */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts services in order and stops them in reverse; a failed start stops what already runs. */
export class ServiceGroup implements Service {
  readonly name: string;
  readonly #services: readonly Service[];
  readonly #running: Service[] = [];

  constructor(name: string, services: readonly Service[]) {
    this.name = name;
    this.#services = services;
  }

  async start(): Promise<void> {
    for (const service of this.#services) {
      this.#running.push(service);
      try {
        await service.start();
      } catch (error) {
        await this.stop();
        throw error;
      }
    }
  }

  async stop(): Promise<void> {
    for (let service = this.#running.pop(); service; service = this.#running.pop()) {
      await service.stop();
    }
  }
}
