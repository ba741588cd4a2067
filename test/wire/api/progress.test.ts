/** The answer to a PUT with containers: a stream of lines, and what `wait` makes of it. */
import { describe, expect, test } from 'vitest';
import { createClient, type PutOptions, type PutStep } from '../../../src/client.ts';
import type { Progress } from '../../../src/core/containers/progress.ts';
import { ID, startService } from './service.ts';

const PULL: readonly Progress[] = [
  { kind: 'pulling', image: 'app:2' },
  { kind: 'layer', image: 'app:2', layer: 'abc123', status: 'downloading', current: 1_000_000, total: 4_000_000 },
  { kind: 'layer', image: 'app:2', layer: 'abc123', status: 'downloading', current: 1_100_000, total: 4_000_000 },
  { kind: 'layer', image: 'app:2', layer: 'abc123', status: 'pull complete', current: null, total: null },
  { kind: 'pulled', image: 'app:2', digest: 'app@sha256:1' },
  { kind: 'created', container: 'web', image: 'app:2' },
  { kind: 'started', container: 'web' },
  { kind: 'output', container: 'web', line: 'listening' },
];

const started = (reason: string | null) =>
  startService({
    containers: 1,
    follow: async (_, { onProgress }) => {
      for (const progress of PULL) onProgress(progress);
      return reason;
    },
  });

const put = (port: number, query = '', headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${port}/configuration/cluster${query}`, { method: 'PUT', body: '{}', headers });

test('lines for people, the same state of a layer told once a second, the id last', async () => {
  const { port } = await started(null);
  const answer = await put(port);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([202, 'text/plain; charset=utf-8']);
  expect((await answer.text()).split('\n')).toEqual([
    `accepted ${ID}`,
    'pulling app:2',
    'pulling app:2: abc123: downloading 1.0 of 4.0 MB',
    'pulling app:2: abc123: pull complete',
    'pulled app:2 (app@sha256:1)',
    'created web from app:2',
    'started web',
    'web: listening',
    ID,
    '',
  ]);
});

test('the reason last when it came to nothing', async () => {
  const { port } = await started('It served nobody: no such image');
  expect((await (await put(port)).text()).trimEnd().split('\n').at(-1)).toBe('error: It served nobody: no such image');
});

test('NDJSON when it is asked for', async () => {
  const { port } = await started('no');
  const answer = await put(port, '', { Accept: 'application/x-ndjson' });
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
  const lines = (await answer.text()).trimEnd().split('\n');
  const values = lines.map((line) => JSON.parse(line) as { kind: string });
  expect(values.map(({ kind }) => kind)).toEqual([
    'accepted',
    'pulling',
    'layer',
    'layer',
    'pulled',
    'created',
    'started',
    'output',
    'error',
  ]);
  expect(values.at(-1)).toEqual({ kind: 'error', id: ID, reason: 'no' });
});

describe('wait', () => {
  test('none: the id alone, at once', async () => {
    const { port, waits } = await startService({ containers: 1, follow: () => new Promise(() => {}) });
    const answer = await put(port, '?wait=none');
    expect([answer.status, await answer.text()]).toEqual([202, ID]);
    expect(waits).toEqual(['no']);
  });

  test('serving: 200 with the id, or 409 with the reason', async () => {
    const good = await put((await started(null)).port, '?wait=serving');
    expect([good.status, await good.text()]).toEqual([200, ID]);
    const bad = await put((await started('It is gone')).port, '?wait=serving');
    expect([bad.status, await bad.text()]).toEqual([409, `It is gone (${ID})\n`]);
  });

  test('anything else is refused, and nothing is put', async () => {
    const { port, commands } = await started(null);
    const answer = await put(port, '?wait=ever');
    expect([answer.status, await answer.text()]).toEqual([400, '"wait" must be "none" or "serving", not "ever"\n']);
    expect(commands).toEqual([]);
  });
});

test('who leaves is told nothing more, and stops nothing', async () => {
  const followed = Promise.withResolvers<AbortSignal>();
  const { port } = await startService({
    containers: 1,
    follow: (_, { signal }) => {
      followed.resolve(signal);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve('left')));
    },
  });
  const leaving = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${port}/configuration/cluster`, {
    method: 'PUT',
    body: '{}',
    signal: leaving.signal,
  });
  expect(answer.status).toBe(202);
  const signal = await followed.promise;
  const left = new Promise((resolve) => signal.addEventListener('abort', resolve));
  leaving.abort();
  await left;
});

describe('the client', () => {
  test('tells each line as it comes, and gives the id', async () => {
    const { port } = await started(null);
    const lines: string[] = [];
    const client = createClient({ url: `http://127.0.0.1:${port}` });
    expect(await client.put('{}', { onProgress: (line) => lines.push(line) })).toBe(ID);
    expect(lines).toHaveLength(8);
  });

  test('tells each step as an object to who wants that, and gives the id', async () => {
    const { port } = await started(null);
    const steps: PutStep[] = [];
    const client = createClient({ url: `http://127.0.0.1:${port}` });
    expect(await client.put('{}', { onStep: (step) => steps.push(step) })).toBe(ID);
    expect(steps).toEqual([{ kind: 'accepted', id: ID }, ...PULL.filter((_, index) => index !== 2)]);
    await client.follow(ID, { onStep: (step) => steps.push(step) });
    expect(steps).toHaveLength(16);
  });

  test('gives the id of a version of servers, whatever it is asked to tell', async () => {
    const { port } = await startService();
    const client = createClient({ url: `http://127.0.0.1:${port}` });
    const servers = [{ hostname: '127.0.0.1', port: 1036 }];
    expect(await client.put({ servers }, { onStep: () => {} })).toBe(ID);
  });

  test.each<PutOptions>([{}, { onStep: () => {} }])('rejects when the version never serves (%j)', async (told) => {
    const { port } = await started('no such image');
    await expect(createClient({ url: `http://127.0.0.1:${port}` }).put('{}', told)).rejects.toThrow(
      'The version does not serve: no such image',
    );
  });
});

test('GET tells the same of a version that was put, to whoever asks', async () => {
  const { port } = await started(null);
  const answer = await fetch(`http://127.0.0.1:${port}/configuration/cluster/${ID}/progress`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
  expect(await answer.text()).toBe(await (await put(port)).text());
  const unknown = ID.replace('a', 'b');
  expect((await fetch(`http://127.0.0.1:${port}/configuration/cluster/${unknown}/progress`)).status).toBe(404);
});
