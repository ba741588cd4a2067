/** The commands about one release, each against a running Cutover. */
import { expect, test } from 'vitest';
import { cluster } from '../../kit/config-service.ts';
import { startProxy } from '../../kit/cutover.ts';
import { answers, startServer } from '../../kit/scripted-server.ts';
import { cutover } from '../../unit/cli/terminal.ts';

async function release() {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const { configPort, put } = await startProxy(cluster('1', [old]));
  const id = await put(cluster('2', [next], { mode: 'GRADUAL' }));
  return {
    id,
    server: `127.0.0.1:${next.port}`,
    run: (...words: string[]) => cutover([...words, '--url', `127.0.0.1:${configPort}`]),
  };
}

const SILENT = { code: 0, out: '', err: '' };

test('pause, resume, promote and rollback say nothing when they went well, and the reason when not', async () => {
  const { id, server, run } = await release();
  expect(await run('pause', id, '--reason', 'lunch')).toEqual(SILENT);
  expect(await run('pause', id)).toEqual({
    code: 1,
    out: '',
    err: `The config service answered 409: Version 2 [${server}] is paused already\n`,
  });
  expect(await run('resume', id)).toEqual(SILENT);
  expect(await run('promote', id)).toEqual(SILENT);
  expect(await run('rollback', id, '-reason=ugly')).toEqual(SILENT);
  expect(await run('rollback', id)).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /answered 409: .* has failed: only a version on trial or the stable one can be rolled back/,
    ),
  });
  expect(await run('promote')).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/argument 'id'/) });
});

test('status shows JSON', async () => {
  const { id, run } = await release();
  const { code, out } = await run('status', id);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ id, version: '2', phase: 'releasing', paused: false, threshold: 1 });
});

test('status without an id shows what was counted', async () => {
  const { run } = await release();
  const { code, out } = await run('status');
  expect(code).toBe(0);
  const { since, counters } = JSON.parse(out);
  expect(Date.now() - Date.parse(since)).toBeLessThan(60_000);
  expect(counters).toMatchObject({ exchanges: expect.any(Number), headerTimeouts: 0, 'ownAnswers.503': 0 });
});

test('ledger shows a paragraph for each release, or JSON', async () => {
  const { id, run } = await release();
  const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';
  const counts =
    '0 requests, 0 replays, 0 absorbed, 0 blamed, 0 shared, 0 unpaired, 0 not replayable, 0 refused by the budget';
  const paragraph = (end: string) =>
    new RegExp(`^2 GRADUAL ${id}\n  ${end}\n  begun ${time}, against version 1\n  ${counts}\n$`);
  expect((await run('ledger', id)).out).toMatch(paragraph('goes on'));
  await run('rollback', id, '--reason', 'ugly');
  const end = `failed at ${time} by rule rollback: It was rolled back by hand: ugly`;
  expect((await run('ledger', id)).out).toMatch(paragraph(end));
  expect((await run('ledger')).out).toMatch(paragraph(end));
  expect(JSON.parse((await run('ledger', '--json')).out)).toMatchObject([{ id, decision: 'failed' }]);
  expect(await run('ledger', 'nobody')).toMatchObject({ code: 1, err: expect.stringMatching(/answered 404/) });
});
