/** What users get: the npm package, and what `make install` puts into place. */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutover-package-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface RunOptions {
  readonly cwd?: string;
  readonly path?: string;
}

/** Standard output and error of a command that must succeed. */
function run(command: string, args: readonly string[], { cwd = folder, path }: RunOptions = {}): string {
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, ...env } = process.env;
  if (path !== undefined) env.PATH = path;
  return execFileSync('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', command, ...args], { cwd, env, encoding: 'utf8' });
}

describe('the npm package', () => {
  let home: string;
  let files: string[];

  beforeAll(() => {
    const packed = run('npm', ['pack', '--json', ...QUIET, '--pack-destination', folder], { cwd: ROOT });
    const list = Object.values(JSON.parse(packed) as Record<string, { files: { path: string }[] }>);
    files = list.flatMap((entry) => entry.files.map((file) => file.path));
    home = join(folder, 'empty');
    mkdirSync(home);
    run('npm', ['install', ...QUIET, '--prefer-offline', join(folder, `cutover-${VERSION}.tgz`)], { cwd: home });
  });

  it('holds built JavaScript, declarations and the launcher, and no source', () => {
    expect(files).toEqual(expect.arrayContaining(['bin/cutover', 'dist/main.js', 'dist/index.js', 'dist/index.d.ts']));
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json']));
    expect(files.filter((path) => /^(src|test|bench|demo|scripts)\//.test(path))).toEqual([]);
  });

  it('has a bin that works', () => {
    expect(run('node_modules/.bin/cutover', ['-h'], { cwd: home })).toContain('configFile');
  });

  it('can be imported', () => {
    const script = "import('cutover').then((api) => console.log(Object.keys(api).length > 0))";
    expect(run(process.execPath, ['-e', script], { cwd: home })).toBe('true\n');
  });
});

describe('make install', () => {
  /** Without the folder that this test's own Node is in. */
  const plainPath = '/usr/local/bin:/usr/bin:/bin';

  it('makes a copy that needs nothing of the clone', () => {
    const prefix = join(folder, 'prefix');
    run('make', ['install', `PREFIX=${prefix}`], { path: plainPath, cwd: ROOT });
    expect(run(join(prefix, 'bin/cutover'), ['-h'], { path: plainPath, cwd: '/' })).toContain('configFile');
    const lib = join(prefix, 'lib/cutover');
    for (const entry of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
      const path = join(lib, entry);
      if (lstatSync(path).isSymbolicLink()) expect(readlinkSync(path)).not.toMatch(/^\//);
      if (/^(bin|dist)\/.*[^/]$/.test(entry) && lstatSync(path).isFile()) {
        expect(readFileSync(path, 'utf8')).not.toContain(ROOT);
      }
    }
    expect(readdirSync(join(lib, 'node_modules'))).not.toContain('typescript');
    run(join(prefix, 'bin/cutover'), ['-h'], { path: plainPath, cwd: '/' });
  });

  it('installs over itself, and below DESTDIR as packagers do', () => {
    const destination = join(folder, 'destination');
    for (const _time of ['first', 'second']) {
      run('make', ['install', `DESTDIR=${destination}`, 'PREFIX=/opt/cutover'], { path: plainPath, cwd: ROOT });
    }
    expect(readlinkSync(join(destination, 'opt/cutover/bin/cutover'))).toBe('../lib/cutover/bin/cutover');
    expect(readdirSync(join(destination, 'opt/cutover/lib'))).toEqual(['cutover']);
    expect(run(join(destination, 'opt/cutover/bin/cutover'), ['-h'], { path: plainPath })).toContain('configFile');
  });
});
