/** What the bench relies on: a fixed rate that hides no stall, and a proof that finds a proxy which changes something. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openLoop } from '../../bench/load/open-loop.ts';
import { proveCorrect } from '../../bench/proof.ts';

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

it('requests that were due while a server stalled count as late, also those that could not be sent', async () => {
  let [answered, stalledFromMs] = [0, 0];
  const STALL_MS = 400;
  const port = await serve((_request, response) => {
    answered += 1;
    // In the middle of what is counted; all answers wait until the stall is over.
    if (answered === 500) stalledFromMs = performance.now();
    const leftMs = stalledFromMs === 0 ? 0 : stalledFromMs + STALL_MS - performance.now();
    if (leftMs <= 0) response.end('x');
    else setTimeout(() => response.end('x'), leftMs);
  });
  const load = await openLoop(port, { perSecond: 500, connections: 2 }, 1);
  expect(load.requests).toBe(750);
  expect(load.perSecond).toBe(500);
  // 200 of 500 were due in the stall: the last tenth of all waited for more than half of it. A client with two connections
  // that waits for its answers would have seen two slow ones.
  expect(load.p99Us).toBeGreaterThan(STALL_MS * 500);
});

it('a load with a failed request is none', async () => {
  const port = await serve((_request, response) => response.writeHead(503).end());
  await expect(openLoop(port, { perSecond: 100, connections: 2 }, 1)).rejects.toThrow('503');
});

it('a proxy that changes an answer is not measured', async () => {
  const port = await serve((_request, response) => response.end('something else'));
  await expect(proveCorrect('Mangler', port)).rejects.toThrow('Mangler is not correct: GET of the small answer');
});
