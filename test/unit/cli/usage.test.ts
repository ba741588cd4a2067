import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runCutover } from '../../../src/main.ts';
import { cutover } from './terminal.ts';

vi.mock('../../../src/main.ts', () => ({ runCutover: vi.fn(async () => 0) }));

const run = vi.mocked(runCutover);
const defaults = { configFile: './config.json', logLevel: null, logFormat: null };
let folder = '';

beforeEach(() => {
  run.mockClear();
  folder = mkdtempSync(join(tmpdir(), 'cutover-cli-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('starting the proxy', () => {
  test.each([
    [[], {}],
    [['run'], {}],
    [['-configFile=./a.json', '-logLevel=WARN'], { configFile: './a.json', logLevel: 'WARNING' }],
    [['--configFile', './a.json', '--logLevel', 'info'], { configFile: './a.json', logLevel: 'INFO' }],
    [
      ['-logLevel=INFO', '-configFile=', 'config/config_script.json'],
      { configFile: 'config/config_script.json', logLevel: 'INFO' },
    ],
    [
      ['run', '--config', 'a b', '--log-level', 'Debug', '--log-format', 'json'],
      { configFile: 'a b', logLevel: 'DEBUG', logFormat: 'json' },
    ],
    [['run', '-logFormat=text', '-config=x=y'], { configFile: 'x=y', logFormat: 'text' }],
    [['-configFile', 'list'], { configFile: 'list' }],
  ])('%j', async (argv, expected) => {
    expect(await cutover(argv)).toEqual({ code: 0, out: '', err: '' });
    expect(run.mock.calls).toEqual([[{ ...defaults, ...expected }]]);
  });

  test('its exit code is that of the program', async () => {
    run.mockResolvedValueOnce(2);
    expect((await cutover([])).code).toBe(2);
  });

  test('a failure is one line without a stack trace', async () => {
    run.mockRejectedValueOnce(new Error('Listening on 127.0.0.1:80 failed: address already in use'));
    const { code, err } = await cutover([]);
    expect(code).toBe(1);
    expect(err).toBe('Listening on 127.0.0.1:80 failed: address already in use\n');
  });
});

describe('wrong usage is one line and where to read on, with exit code 2', () => {
  test.each([
    [['-foo'], "Unknown option '-foo'"],
    [['--foo=1'], "Unknown option '--foo=1'"],
    [['--confg', 'x'], "Unknown option '--confg' (Did you mean --config?)"],
    [['start'], 'Unknown command "start"'],
    [['-configFile'], "Option '--config <file>' argument missing"],
    [['-configFile='], "Option '--config <file>' argument '' is invalid. It needs a value"],
    [['-configFile=', '-logLevel=INFO'], "Option '--config <file>' argument '' is invalid. It needs a value"],
    [['-logLevel=LOUD'], /^Option '--log-level <level>' argument 'LOUD' is invalid. Allowed are "CRITICAL"/],
    [['run', '--log-format', 'xml'], /^Option '--log-format <format>' argument 'xml' is invalid/],
    [['check'], "Missing required argument 'file'"],
    [['list', 'all'], /^Too many arguments for 'list'/],
    [['show', ''], /^Command-argument value '' is invalid/],
    [['put', '--server', '::1:80'], /argument '::1:80' is invalid. HOST:PORT is needed, with a port from 1 to 65535$/],
    [['put', '--server', 'a:99999'], /HOST:PORT is needed, with a port from 1 to 65535$/],
    [['put', '--mode', 'FAST'], /argument 'FAST' is invalid. Allowed are INSTANT, SESSION, GRADUAL, CONCURRENT$/],
    [['put', '--percentage', 'x'], /A number is needed$/],
    [['list', '--url', 'http://'], /A URL such as/],
  ])('%j', async (argv, line) => {
    const { code, out, err } = await cutover(argv);
    const [first = '', ...more] = err.split('\n');
    if (typeof line === 'string') expect(first).toBe(line);
    else expect(first).toMatch(line);
    const command = ['check', 'list', 'show', 'put'].find((name) => name === argv[0]);
    const name = command === undefined ? 'cutover' : `cutover ${command}`;
    expect(more).toEqual([`"${name} --help" shows how it is used`, '']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(run).not.toHaveBeenCalled();
  });

  test.each([
    [['put'], '"cutover put" needs --server HOST:PORT, --image IMAGE or a file\n'],
    [['put', '--image', 'app'], '"cutover put --image" needs --port, which the container listens on\n'],
    [['put', '--server', 'a:1', '--image', 'app'], '"cutover put" needs --server or --image, not both\n'],
    [['put', '--server', 'a:1', '--port', '1'], '"--port" belongs to --image\n'],
    [
      ['put', '--server', 'a:1', '--percentage', '5', '--session-timeout', '60'],
      '"--percentage" belongs to mode GRADUAL and "--session-timeout" to mode SESSION: give one of them\n',
    ],
    [
      ['put', '--server', 'a:1', '--mode', 'SESSION', '--percentage', '5'],
      '"--percentage" belongs to mode GRADUAL, not SESSION\n',
    ],
    [
      ['put', '--server', 'a:1', '--mode', 'INSTANT', '--session-timeout', '5'],
      '"--session-timeout" belongs to mode SESSION, not INSTANT\n',
    ],
    [['put', '-', '--server', 'a:80'], '"cutover put" needs a file or flags that describe the version, not both\n'],
  ])('%j', async (argv, err) => {
    expect(await cutover(argv)).toEqual({ code: 2, out: '', err });
  });
});

describe('help and version', () => {
  test.each([['-h'], ['--help'], ['-help'], ['-configFile=x', '-logLevel=WARN', '-h'], ['run', '-h']])(
    '%j %j',
    async (...argv) => {
      const { code, out, err } = await cutover(argv);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(/^Usage of cutover:\n.*-configFile="\.\/config\.json".*-logLevel="WARN".*-h /s);
      expect(run).not.toHaveBeenCalled();
    },
  );

  test('of a command', async () => {
    const { code, out } = await cutover(['put', '-h']);
    expect(code).toBe(0);
    expect(out).toContain('--server <host:port>');
  });

  test.each(['-version', '--version'])('%s', async (flag) => {
    expect(await cutover([flag])).toEqual({ code: 0, out: 'cutover 1.2.3\n', err: '' });
  });
});

describe('cutover check', () => {
  const good = { proxy: { port: 1 }, configService: { port: 2 }, cluster: { servers: [{ ip: '::1', port: 3 }] } };

  test('says OK, and warns', async () => {
    const file = write('a.json', JSON.stringify({ ...good, cookies: { secret: 'hush' } }));
    expect(await cutover(['check', file])).toEqual({
      code: 0,
      out: `${file}: OK\n`,
      err: `${file}: Warning: "cookies.secret" has no effect yet\n`,
    });
  });

  test('tells every fault and ends with 2', async () => {
    const file = write('a.json', JSON.stringify({ ...good, proxy: {}, workers: 'x' }));
    const { code, out, err } = await cutover(['check', file]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.split('\n')).toEqual([
      expect.stringContaining(`${file}: "proxy.port" is missing`),
      expect.stringContaining(`${file}: "workers" must be`),
      '',
    ]);
  });

  test('a file that is not there, a folder, bytes that are no text: one line', async () => {
    const binary = write('b', '');
    writeFileSync(binary, Buffer.from([0x7b, 0xff, 0xfe]));
    for (const [path, cause] of [
      [join(folder, 'none'), 'no such file'],
      [folder, 'it is a directory'],
      [binary, 'it is not UTF-8 text'],
    ] as const) {
      expect(await cutover(['check', path])).toEqual({
        code: 2,
        out: '',
        err: `Reading ${JSON.stringify(path)} failed: ${cause}\n`,
      });
    }
  });

  test('reads the token file, whose path counts from the configuration', async () => {
    const withToken = { ...good, configService: { port: 2, tokenFile: 'token' } };
    const file = write('a.json', JSON.stringify(withToken));
    expect((await cutover(['check', file])).err).toContain(
      `${file}: "configService.tokenFile": Reading "${folder}/token" failed`,
    );
    write('token', 'two words\n');
    expect((await cutover(['check', file])).err).toContain('must be a string of 1 to 1024 visible ASCII characters');
    write('token', 's3cret\n');
    expect((await cutover(['check', file])).code).toBe(0);
  });
});
