/** A bad build: the application with a fault in front of it that answers a share of all requests with 500. */
import { createServer, request } from 'node:http';
import { freePort } from '../test/kit/ports.ts';
import type { Wiki } from './wiki.ts';

export interface Flaky {
  readonly port: number;
  /** Requests that were answered with 500. */
  errors(): number;
  close(): void;
}

/** Three requests of ten fail, in no order that a client could see. */
const FAILS = [false, true, false, false, true, false, false, false, true, false];

export async function startFlaky(wiki: Wiki): Promise<Flaky> {
  let arrived = 0;
  let errors = 0;
  const server = createServer((incoming, outgoing) => {
    arrived += 1;
    if (FAILS[arrived % FAILS.length]) {
      errors += 1;
      incoming.resume();
      outgoing.writeHead(500).end('a fault of the new build\n');
      return;
    }
    const { method, url, headers } = incoming;
    const inner = request({ host: '127.0.0.1', port: wiki.port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    inner.on('error', () => outgoing.destroy());
    outgoing.on('close', () => inner.destroy());
    incoming.pipe(inner);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    errors: () => errors,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
