/** How long requests take while something else goes on beside them: windows of the same load, to be compared with each other. */
import { expect } from 'vitest';
import { connectTo, type RawClient } from './raw-client.ts';

const CLIENTS = 4;

/** Some keep-alive clients, each with one request in flight; every answer has to be a 200 with this text. */
export class LatencyLoad {
  readonly #clients: readonly RawClient[];
  readonly #text: string;

  private constructor(clients: readonly RawClient[], text: string) {
    this.#clients = clients;
    this.#text = text;
  }

  static async to(port: number, text: string): Promise<LatencyLoad> {
    return new LatencyLoad(await Promise.all(Array.from({ length: CLIENTS }, () => connectTo(port))), text);
  }

  /** Sends so many requests. Resolves with the time that 99 of 100 took at most, milliseconds. */
  async p99Ms(requests: number): Promise<number> {
    const tookMs: number[] = [];
    let left = requests;
    await Promise.all(
      this.#clients.map(async (client) => {
        while (left > 0) {
          left -= 1;
          const begunMs = performance.now();
          const { status, text } = await client.ask('/');
          tookMs.push(performance.now() - begunMs);
          expect([status, text]).toEqual([200, this.#text]);
        }
      }),
    );
    tookMs.sort((one, other) => one - other);
    return tookMs[Math.floor(tookMs.length * 0.99)] as number;
  }
}

/**
 * Holds when the traffic took about as long beside the trouble as without it. The machine has other work too: of the windows
 * with trouble the best is taken, of those without it the worst, and twice that is allowed.
 */
export function expectUnchanged(withTroubleMs: readonly number[], withoutMs: readonly number[]): void {
  expect(Math.min(...withTroubleMs)).toBeLessThan(2 * Math.max(...withoutMs) + 2);
}
