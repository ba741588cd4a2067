/** The wall clock jumps an hour ahead and two back while it serves: nothing that is measured by time notices. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cluster, listVersions, put } from '../kit/config-service.ts';
import { startChild, temporaryFolder } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { connectTo, requestText } from '../kit/raw-client.ts';
import { type Arrival, responseText, startServer } from '../kit/scripted-server.ts';

const HOUR_MS = 3_600_000;

test('a jump of the wall clock closes nothing, times nothing out, ends no release and takes none back', async () => {
  const release = Promise.withResolvers<void>();
  const slowOr = (name: string) => async (arrival: Arrival) => {
    if (arrival.head.target === '/slow') await release.promise;
    arrival.send(responseText(200, name));
  };
  const [old, next] = [await startServer(slowOr('old')), await startServer(slowOr('new'))];
  const jumps = join(temporaryFolder(), 'jumps');
  writeFileSync(jumps, '+0');
  const cutover = await startChild(cluster('1', [old]), { shell: withClockFrom(jumps) });
  await put(cutover.configPort, cluster('2', [next], { mode: 'SESSION', sessionTimeout: 600 }));
  const [busy, idle, waiting] = [
    await connectTo(cutover.port),
    await connectTo(cutover.port),
    await connectTo(cutover.port),
  ];
  await idle.ask('/');
  waiting.send(requestText({ target: '/slow' }));
  await next.until(() => next.targets.includes('/slow'));
  for (const [jump, aheadMs] of [
    ['+1h', HOUR_MS],
    ['-1h', -HOUR_MS],
  ] as const) {
    writeFileSync(jumps, jump);
    // More than a sweep of the deadlines passes.
    for (let n = 0; n < 500; n += 1) expect((await busy.ask('/')).text).toBe('new');
    const answer = await busy.ask('/');
    const dateMs = Date.parse(field(answer, 'date') ?? '');
    expect(Math.abs(dateMs - Date.now() - aheadMs)).toBeLessThan(60_000);
    const expiresMs = Date.parse(/Expires=([^;]+)/.exec(field(answer, 'set-cookie') ?? '')?.[1] ?? '');
    expect(expiresMs - dateMs).toBeGreaterThan(590_000);
    expect(expiresMs - dateMs).toBeLessThan(610_000);
  }
  release.resolve();
  expect((await waiting.answer()).text).toBe('new');
  expect((await idle.ask('/')).text).toBe('new');
  expect((await listVersions(cutover.configPort)).map(({ version }) => version)).toEqual(['2', '1']);
  expect(cutover.process.stderr).not.toMatch(/is released|rolled back|ERROR|WARNING/);
});

/** Shell commands after which a program takes its wall clock from a file, as Debian's `faketime` understands it. */
function withClockFrom(file: string): string {
  const library = readdirSync('/usr/lib')
    .map((folder) => `/usr/lib/${folder}/faketime`)
    .flatMap((folder) => filesIn(folder).map((name) => join(folder, name)))
    .find((path) => path.endsWith('libfaketime.so.1'));
  if (library === undefined) throw new Error('libfaketime.so.1 was not found: apt-get install faketime');
  return `export LD_PRELOAD=${library} FAKETIME_TIMESTAMP_FILE=${file} FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1`;
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
