import { expect, test } from 'vitest';
import type { Server } from '../../../src/core/routing/table.ts';
import { ParserPool } from '../../../src/proxy/http1/parser-pool.ts';
import type { UpstreamConnection } from '../../../src/proxy/http1/upstream-connection.ts';
import type { Plane } from '../../../src/proxy/plane.ts';
import { UpstreamPool } from '../../../src/proxy/upstream-pool.ts';
import { limits } from '../http/replay.ts';

const servers: readonly Server[] = [{ key: 'a:80', host: 'a', port: 80, weight: 1 }];

/** Attempts on connections that never come about: here it matters which one is taken. */
function attempts(pool: UpstreamPool): () => UpstreamConnection {
  const plane = {
    pool,
    parsers: new ParserPool(limits),
    sweeper: { nowMs: 0, add() {}, delete() {} },
    names: { whenKnown() {} },
    config: { timeouts: { connectMs: 1000 } },
  } as unknown as Plane;
  const call = { request: { request: { method: 'GET' } }, listener: {}, freshness: 'any', responseTimeoutMs: 1000 };
  return () => pool.attempt(plane, { ...call, servers, index: 0 } as unknown as Parameters<UpstreamPool['attempt']>[1]);
}

test('a connection that was put back is taken again, the last one first', () => {
  const pool = new UpstreamPool();
  const attempt = attempts(pool);
  const [first, second] = [attempt(), attempt()];
  expect(second).not.toBe(first);
  pool.putBack(first);
  pool.putBack(second);
  expect([attempt(), attempt()]).toEqual([second, first]);
});

test('a server that no version names for a while is then as it was before', () => {
  const pool = new UpstreamPool();
  const attempt = attempts(pool);
  const before = attempt();
  pool.putBack(before);
  pool.keepOnly(new Set());
  const after = attempt();
  expect(after).not.toBe(before);
  pool.putBack(after);
  expect(attempt()).toBe(after);
});
