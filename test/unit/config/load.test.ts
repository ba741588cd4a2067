/** Where the state is kept, by what the configuration says and where it comes from. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Loaded, loadConfig } from '../../../src/load-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'cutover-load-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = (state?: unknown): string =>
  JSON.stringify({
    proxy: { port: 1 },
    configService: { port: 2 },
    cluster: { servers: [{ ip: '10.0.0.1', port: 80 }] },
    state,
  });

function load(name: string, state?: unknown): Loaded {
  const path = join(folder, name);
  writeFileSync(path, text(state));
  return loadConfig(path);
}

const stateOf = (loaded: Loaded): unknown => (loaded.ok ? loaded.config.state : loaded.errors);

test.for([
  ['config.json', 'config.state.json'],
  ['config.jsonc', 'config.jsonc.state.json'],
  ['cutover.conf', 'cutover.conf.state.json'],
  ['shop', 'shop.state.json'],
] as const)('%s has its state in %s beside it', ([name, state]) => {
  expect(stateOf(load(name))).toEqual({ file: join(folder, state) });
});

test('a path counts from the configuration file', () => {
  expect(stateOf(load('config.json', { file: 'kept/here' }))).toEqual({ file: join(folder, 'kept/here') });
  expect(stateOf(load('config.json', { file: '/var/lib/x' }))).toEqual({ file: '/var/lib/x' });
});

test('null is nowhere', () => {
  expect(stateOf(load('config.json', null))).toBeNull();
});

test('the configuration file itself is refused', () => {
  expect(stateOf(load('config.json', { file: './config.json' }))).toEqual([
    `${folder}/config.json: "state.file" must not be the configuration file itself`,
  ]);
});

test('a configuration from a pipe keeps no state unless it says where, and says so', () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const fed = (state?: unknown): Loaded => {
    writeFileSync(join(folder, 'source'), text(state));
    spawn('sh', ['-c', 'cat source > pipe'], { cwd: folder, stdio: 'ignore' });
    return loadConfig(pipe);
  };
  const loaded = fed();
  expect(stateOf(loaded)).toBeNull();
  expect(loaded.ok && loaded.warnings).toEqual([expect.stringMatching(/no state is kept/)]);
  expect(stateOf(fed({ file: 'x' }))).toEqual({ file: join(folder, 'x') });
  expect(stateOf(fed(null))).toBeNull();
});
