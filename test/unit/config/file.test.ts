import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/core/config/parse.ts';
import { config, errorsOf, file, warningsOf } from './samples.ts';

const errors = (text: string): readonly string[] => errorsOf(parseConfig(text));

test('the thesis example is accepted, and everything else has its default', () => {
  const parsed = config(`{
    "proxy": { "port": 1235 }, // the port clients come to
    "configService": { "port": 9090 },
    "cluster": {
      "servers": [
        {"hostname": "127.0.0.1", "port": 1034},
        {"ip": "127.0.0.1", "port": 1035},
      ],
      "version": "1.0", /* a trailing comma is no error */
    }
  }`);
  expect(parsed).toEqual({
    proxy: { hostname: '0.0.0.0', port: 1235, via: 'cutover' },
    configService: { hostname: '127.0.0.1', port: 9090, token: null, tokenFile: null, allowedHosts: [] },
    workers: 1,
    log: { level: null, format: null },
    cookies: { version: 'dynsoftup', transition: 'transition', sameSite: 'Lax' },
    putWaitMs: 1000,
    ignorePaths: [],
    timeouts: {
      connectMs: 1000,
      responseMs: 30_000,
      idleBodyMs: 60_000,
      clientHeaderMs: 10_000,
      clientIdleMs: 75_000,
      upstreamIdleMs: 4000,
      totalMs: null,
      drainMs: 30_000,
      tunnelDrainMs: 300_000,
      abandonAfterMs: 5000,
    },
    limits: {
      requestLineBytes: 8192,
      headerBytes: 32_768,
      fieldCount: 100,
      connections: 20_000,
      bufferBytes: 67_108_864,
      concurrentAttempts: 256,
    },
    replay: { bodyBytes: 1_048_576, methods: [], budget: 0.2 },
    state: { file: null },
    clusterDefaults: {
      responseTimeoutMs: 30_000,
      holdBytes: 65_536,
      holdMs: 250,
      engine: null,
      privileged: 'forbidden',
    },
    clusterAsWritten: {
      servers: [
        { hostname: '127.0.0.1', port: 1034 },
        { ip: '127.0.0.1', port: 1035 },
      ],
      version: '1.0',
    },
    cluster: {
      uuid: null,
      version: '1.0',
      servers: [
        { host: '127.0.0.1', port: 1034 },
        { host: '127.0.0.1', port: 1035 },
      ],
      healthCheck: null,
      containers: [],
      shownContainers: null,
      shownHealthCheck: null,
      transition: {
        mode: 'INSTANT',
        sessionTimeoutS: 1800,
        percentagePerRequest: 1,
        bucketKey: 'cookie',
        versions: 2,
        patienceMs: 1000,
        duplicatedMethods: null,
        promoteAfterRequests: null,
        responseTimeoutMs: 30_000,
        readyTimeoutMs: 30_000,
        regretWindowMs: 600_000,
        holdBytes: 65_536,
        holdMs: 250,
        verdict: {
          preset: 'patient',
          consecutive: 5,
          falseAlarm: 0.0075,
          margin: 0.05,
          assumedRate: 0.005,
          minRequests: 30,
          divergence: null,
        },
        compare: null,
      },
      shownTransition: { mode: 'INSTANT' },
    },
  });
});

test('what is given is taken, seconds as milliseconds', () => {
  const parsed = config(
    file({
      proxy: { hostname: '[::1]', port: 0, via: false },
      configService: { hostname: '0.0.0.0', port: 0, token: 's3cret', allowedHosts: ['ops.example'] },
      log: { level: 'warn', format: 'json' },
      cookies: { version: 'v', transition: 't', sameSite: 'Strict' },
      putWait: 0.25,
      ignorePaths: ['/health'],
      timeouts: { connect: 0.5, response: 2, total: 90.5, drain: 0 },
      limits: { requestLine: 4096, headers: 8192, fields: 50, connections: 10, bufferBytes: 0, concurrentAttempts: 1 },
      replay: { bodyBytes: 0, methods: ['POST'] },
    }),
  );
  expect(parsed).toMatchObject({
    proxy: { hostname: '::1', port: 0, via: null },
    configService: { hostname: '0.0.0.0', token: 's3cret', allowedHosts: ['ops.example'] },
    log: { level: 'WARNING', format: 'json' },
    cookies: { version: 'v', transition: 't', sameSite: 'Strict' },
    putWaitMs: 250,
    ignorePaths: ['/health'],
    timeouts: { connectMs: 500, responseMs: 2000, totalMs: 90_500, drainMs: 0 },
    limits: { requestLineBytes: 4096, fieldCount: 50, bufferBytes: 0 },
    replay: { bodyBytes: 0, methods: ['POST'] },
  });
  expect(parsed.cluster.transition.responseTimeoutMs).toBe(2000);
});

describe('a fault is one line that names the path, what is allowed and the value', () => {
  const range = 'a whole number from 0 to 65535';
  test.each([
    [{ proxy: undefined }, `"proxy.port" is missing: it must be ${range}`],
    [{ configService: {} }, `"configService.port" is missing: it must be ${range}`],
    [{ proxy: { port: '1235' } }, `"proxy.port" must be ${range}, not the string "1235"`],
    [{ proxy: { port: 65_536 } }, `"proxy.port" must be ${range}, not 65536`],
    [{ proxy: { port: 1.5 } }, `"proxy.port" must be ${range}, not the number 1.5`],
    [{ proxy: { port: null } }, `"proxy.port" must be ${range}, not null`],
    [{ proxy: [] }, '"proxy" must be an object, not an empty list'],
    [{ proxy: { port: 1, prot: 2 } }, '"proxy.prot" is not a known key (it is 2): known here are hostname, port, via'],
    [
      { proxy: { port: 1, host: '::1' } },
      '"proxy.host" is not a known key (it is "::1"): known here are hostname, port, via',
    ],
    [{ proxy: { port: 1, hostname: 'a b' } }, '"proxy.hostname" must be a host name or an IP address, not "a b"'],
    [{ proxy: { port: 1, via: true } }, /^"proxy.via" must be a name .* or false, not true$/],
    [{ workers: 'many' }, '"workers" must be a whole number from 0 to 1024 or "auto", not "many"'],
    [{ timeouts: { connect: 0 } }, '"timeouts.connect" must be a number of seconds from 0.001 to 2147483, not 0'],
    [{ workers: -1 }, '"workers" must be a whole number from 0 to 1024 or "auto", not -1'],
    [{ timeouts: { total: 0 } }, /^"timeouts.total" must be .* or "off", not 0$/],
    [{ timeouts: { total: 'never' } }, /^"timeouts.total" must be .* or "off", not "never"$/],
    [{ limits: { fields: 0 } }, '"limits.fields" must be a whole number from 1 to 10000, not 0'],
    [{ log: { level: 'LOUD' } }, /^"log.level" must be "CRITICAL", .*"DEBUG", not "LOUD"$/],
    [{ replay: { methods: ['post'] } }, '"replay.methods[0]" must be an HTTP method in capitals, not "post"'],
    [{ ignorePaths: ['x'] }, '"ignorePaths[0]" must be a path that starts with "/", not "x"'],
    [{ cookies: { version: 'a b' } }, '"cookies.version" must be a cookie name, not "a b"'],
    [{ cookies: { version: 'transition' } }, /^"cookies.transition" must differ from "cookies.version"/],
    [{ state: {} }, '"state.file" is missing: it must be a non-empty string'],
    [{ dockerHost: { ip: '10.0.0.1' } }, '"dockerHost" must have "ip" and "port", or "socketPath" alone'],
    [{ cluster: undefined }, '"cluster" is missing: it must be an object'],
  ])('%j', (changes, line) => {
    const [first, ...others] = errors(file(changes));
    if (typeof line === 'string') expect(first).toBe(line);
    else expect(first).toMatch(line);
    expect(others).toEqual([]);
  });
});

test('all faults of a file are told, not only the first', () => {
  const text = file({ proxy: { port: 'x' }, putWait: -1, cluster: { servers: [] }, hosts: 1 });
  expect(errors(text)).toEqual([
    expect.stringContaining('"proxy.port"'),
    expect.stringContaining('"putWait"'),
    expect.stringContaining('"cluster.servers"'),
    expect.stringContaining('"hosts"'),
  ]);
});

test('no fault shows a secret, a misspelt one included', () => {
  const text = file({
    configService: { port: 1, token: 'hush hush', tokn: 'hush', 'x-token': 'hush' },
    cookies: { secret: ['hush'] },
    cluster: { containers: [{ image: 'a', portToProxy: 1, environment: 'hush', tokem: 'hush' }] },
  });
  expect(errors(text).length).toBe(6);
  expect(errors(text).join()).not.toContain('hush');
});

test('a config service that others can reach needs a token', () => {
  const at = (hostname: string, more = {}) => parseConfig(file({ configService: { hostname, port: 9090, ...more } }));
  for (const hostname of ['0.0.0.0', '::', '192.168.0.1', 'ops.example', '128.0.0.1']) {
    expect(errorsOf(at(hostname))[0]).toMatch(/^"configService.hostname" must be a loopback address, not ".*", unless/);
    expect(at(hostname, { token: 'x' }).ok).toBe(true);
    expect(at(hostname, { tokenFile: 'token' }).ok).toBe(true);
  }
  for (const hostname of ['127.0.0.1', '127.8.8.8', 'localhost', '::1', '[::1]']) expect(at(hostname).ok).toBe(true);
  expect(errorsOf(at('127.0.0.1', { token: 'x', tokenFile: 'y' }))[0]).toContain('not both');
});

test('the two services may not be given one port where they would collide', () => {
  const at = (proxy: string, service: string, port: number) =>
    parseConfig(file({ proxy: { hostname: proxy, port }, configService: { hostname: service, port, token: 'x' } }));
  const line = '"configService.port" must differ from "proxy.port", which is 9090 too';
  for (const [proxy, service] of [
    ['0.0.0.0', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', '127.0.0.1'],
    ['::', '127.0.0.1'],
  ] as const) {
    expect(errorsOf(at(proxy, service, 9090))).toEqual([line]);
  }
  expect(at('127.0.0.1', '127.0.0.2', 9090).ok).toBe(true);
  expect(at('0.0.0.0', '::1', 9090).ok).toBe(true);
  expect(at('0.0.0.0', '127.0.0.1', 0).ok).toBe(true);
});

test('keys without effect yet are accepted with a warning; what asks for what happens anyway is not', () => {
  const text = file({
    cookies: { secret: 'hush' },
    replay: { budget: 0.5, bodyBytes: 1 },
    timeouts: { connect: 1 },
  });
  expect(warningsOf(parseConfig(text))).toEqual(['"cookies.secret" has no effect yet']);
  expect(
    warningsOf(parseConfig(file({ workers: 'auto', configService: { port: 9090, allowPrivileged: false } }))),
  ).toEqual([]);
});
