/** What the soak does to Cutover by its REST API, and waits for; what does not come in time is an error. */
import { setTimeout as passed } from 'node:timers/promises';
import type { StatusView } from '../../src/client.ts';
import { call, cluster, putVersion } from '../kit/config-service.ts';

const WAIT_LIMIT_MS = 30_000;
const LOOK_MS = 50;
const IDLE_LOOKS = 5;

export type Phase = StatusView['phase'];

export class Releases {
  readonly #configPort: number;

  constructor(configPort: number) {
    this.#configPort = configPort;
  }

  /** Gives its id. @param options those of `upgradeTransition` */
  put(version: string, port: number, options: Readonly<Record<string, unknown>>): Promise<string> {
    return putVersion(this.#configPort, cluster(version, [{ port }], options));
  }

  async decide(id: string, what: 'promote' | 'rollback'): Promise<void> {
    await this.#expect(202, call(this.#configPort, 'POST', `/${id}/${what}`), `${what} of ${id}`);
  }

  async remove(id: string): Promise<void> {
    await this.#expect(202, call(this.#configPort, 'DELETE', `/${id}`), `DELETE of ${id}`);
  }

  /** Asks until the version is in one of these phases, and has nothing more in flight where it has left. */
  async reaches(id: string, phases: readonly Phase[]): Promise<StatusView> {
    let idle = 0;
    for (const endMs = performance.now() + WAIT_LIMIT_MS; ; ) {
      const status = await this.#status(id);
      const isReached = phases.includes(status.phase);
      // What is in flight is known as of a tenth of a second ago, so it says nothing at first.
      idle = isReached && status.inFlight === 0 ? idle + 1 : 0;
      if (isReached && (status.phase !== 'failed' || idle >= IDLE_LOOKS)) return status;
      if (performance.now() > endMs) {
        throw new Error(`Version ${status.version} is ${status.phase} (${status.reason}), not ${phases.join(' or ')}`);
      }
      await passed(LOOK_MS);
    }
  }

  async #status(id: string): Promise<StatusView> {
    const { status, text } = await this.#again(() => call(this.#configPort, 'GET', `/${id}/status`));
    if (status !== 200) throw new Error(`The status of ${id} was answered ${status}: ${text}`);
    return JSON.parse(text) as StatusView;
  }

  /** A connection to a control that was killed is lost; what only asks may be asked again. */
  async #again<T>(ask: () => Promise<T>): Promise<T> {
    for (let left = 5; ; left -= 1) {
      try {
        return await ask();
      } catch (error) {
        if (left === 0) throw error;
        await passed(100);
      }
    }
  }

  async #expect(wanted: number, answer: ReturnType<typeof call>, what: string): Promise<void> {
    const { status, text } = await answer;
    if (status !== wanted) throw new Error(`The ${what} was answered ${status}: ${text}`);
  }
}
