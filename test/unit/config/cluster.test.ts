import { describe, expect, test } from 'vitest';
import { parseCluster } from '../../../src/core/config/parse.ts';
import { PATIENT } from '../release/specs.ts';
import { body, cluster, errorsOf, warningsOf } from './samples.ts';

const errors = (text: string): readonly string[] => errorsOf(parseCluster(text));
const upgrade = (transition: Record<string, unknown>): string => body({ upgradeTransition: transition });

test('the example of the thesis (appendix I)', () => {
  const text =
    '{"cluster": {"servers":[{"hostname": "127.0.0.1", "port": 1036},{"hostname": "127.0.0.1", "port": 1038}], ' +
    '"version": "1.1", "upgradeTransition": {"mode": "SESSION", "sessionTimeout": 60 }}}';
  expect(cluster(text)).toMatchObject({
    uuid: null,
    version: '1.1',
    servers: [
      { host: '127.0.0.1', port: 1036 },
      { host: '127.0.0.1', port: 1038 },
    ],
    transition: { mode: 'SESSION', sessionTimeoutS: 60 },
    shownTransition: { mode: 'SESSION', sessionTimeout: 60 },
  });
  expect(warningsOf(parseCluster(text))).toEqual([]);
});

test.each([
  ['1.10', '1.10'],
  ['1.0', '1.0'],
  ['3', '3'],
  ['1e2', '1e2'],
  ['"  x "', '  x '],
])('a version may be a number and keeps its source text: %s', (source, version) => {
  expect(cluster(body().replace('"1.1"', source)).version).toBe(version);
});

test('without a version it is "0.0"', () => {
  expect(cluster('{"cluster":{"servers":[{"ip":"::1","port":80}]}}').version).toBe('0.0');
});

test.each(['', ' ', 'a\nb', 'a\u007fb', 'a\u2028b', '\ud800', 'x'.repeat(129), null, true, ['1']])(
  'version %j is refused',
  (version) => {
    expect(errors(body({ version }))).toEqual([
      expect.stringMatching(/^"cluster.version" must be a number or a non-empty/),
    ]);
  },
);

describe('text that is no request body', () => {
  test.each([
    ['', 'The body is empty: it must be a JSON object with "cluster"'],
    [' \n', 'The body is empty: it must be a JSON object with "cluster"'],
    ['cluster=1', 'Invalid JSON at 1:1: unknown symbol'],
    ['{"cluster": {\n  "servers": [}}', 'Invalid JSON at 2:15: a value is expected'],
    ['{"cluster": {}', 'Invalid JSON at 1:15: a closing brace is expected'],
    ['{} {}', 'Invalid JSON at 1:4: nothing more is expected here'],
    ['[]', 'The top level must be an object, not an empty list'],
    ['[1]', 'The top level must be an object, not a list'],
    ['"x"', 'The top level must be an object, not "x"'],
    ['null', 'The top level must be an object, not null'],
    ['{}', '"cluster" is missing: it must be an object'],
    ['{"cluster": []}', '"cluster" must be an object, not an empty list'],
    ['{"cluster": "x"}', '"cluster" must be an object, not the string "x"'],
    ['{"cluster": {}}', '"cluster" must contain "servers" or "containers" list'],
    ['[['.repeat(1e5), 'Invalid JSON: more than 32 levels of nesting'],
  ])('%.40s', (text, line) => {
    expect(errors(text)[0]).toBe(line);
  });

  test('what several rules of the grammar miss at one place is said once', () => {
    expect(errors('{"cluster": {"servers": [')).toEqual([
      'Invalid JSON at 1:26: a closing bracket is expected',
      'Invalid JSON at 1:26: a closing brace is expected',
    ]);
  });
});

test('a key that is given twice is a fault, with both places', () => {
  const text = '{"cluster":\n {"version": "1", "servers":[{"ip":"::1","port":80}],\n  "version": "2"}}';
  expect(errors(text)).toEqual(['"cluster.version" is given twice: at 2:3 and at 3:3']);
});

test('a key like __proto__ is a key like any other: unknown', () => {
  expect(errors('{"cluster":{"servers":[{"ip":"::1","port":80,"__proto__":{"port":1}}]}}')).toEqual([
    '"cluster.servers[0].__proto__" is not a known key (it is an object): known here are hostname, ip, port',
  ]);
});

test('a byte order mark in front is no fault', () => {
  expect(parseCluster(`\uFEFF${body()}`).ok).toBe(true);
});

describe('servers', () => {
  const address = 'a host name or an IP address';
  const port = 'a whole number from 1 to 65535';
  test.each([
    [[], '"servers" list must contain at least one entry: "cluster.servers" is an empty list'],
    ['127.0.0.1:80', '"cluster.servers" must be a list, not the string "127.0.0.1:80"'],
    [['127.0.0.1:80'], '"cluster.servers[0]" must be an object, not the string "127.0.0.1:80"'],
    [[{ port: 80 }], '"cluster.servers[0]" must have "hostname" or "ip"'],
    [[{ hostname: 'a', ip: '::1', port: 80 }], '"cluster.servers[0]" must have "hostname" or "ip", not both'],
    [[{ hostname: 'a' }], `"cluster.servers[0].port" is missing: it must be ${port}`],
    [[{ hostname: 'a', port: '80' }], `"cluster.servers[0].port" must be ${port}, not the string "80"`],
    [[{ hostname: 'a', port: 0 }], `"cluster.servers[0].port" must be ${port}, not 0`],
    [[{ hostname: '', port: 80 }], `"cluster.servers[0].hostname" must be ${address}, not ""`],
    [[{ ip: '1.2.3.256', port: 80 }], `"cluster.servers[0].ip" must be ${address}, not "1.2.3.256"`],
  ])('%j', (servers, line) => {
    expect(errors(body({ servers }))).toEqual([line]);
  });

  test.each(['a', 'app_1.local', 'xn--bcher-kva.example', 'a.example.', '10.0.0.1', '::1', 'fe80::1%eth0'])(
    'host %s is taken as it is',
    (hostname) => {
      expect(cluster(body({ servers: [{ hostname, port: 80 }] })).servers).toEqual([{ host: hostname, port: 80 }]);
    },
  );

  test.each([
    '-a',
    'a-',
    'a..b',
    'a b',
    'http://a',
    'a:80',
    'a/b',
    '1.2.3',
    '0x7f',
    '[a]',
    '[::1',
    'ü',
    'a'.repeat(64),
  ])('host %s is refused', (hostname) => {
    expect(errors(body({ servers: [{ hostname, port: 80 }] })).length).toBe(1);
  });

  test('brackets of an IPv6 address are tolerated', () => {
    expect(cluster(body({ servers: [{ ip: '[2001:db8::1]', port: 80 }] })).servers[0]?.host).toBe('2001:db8::1');
  });
});

describe('upgradeTransition', () => {
  test('none is INSTANT, one without a mode is SESSION', () => {
    expect(cluster(body()).shownTransition).toEqual({ mode: 'INSTANT' });
    expect(cluster(upgrade({})).shownTransition).toEqual({ mode: 'SESSION', sessionTimeout: 1800 });
  });

  test('options have their defaults, and GET shows the one of the thesis', () => {
    expect(cluster(upgrade({ mode: 'GRADUAL' }))).toMatchObject({
      transition: { mode: 'GRADUAL', percentagePerRequest: 1, bucketKey: 'cookie' },
      shownTransition: { mode: 'GRADUAL', percentageTransitionPerRequest: 1 },
    });
  });

  test('GET shows mode, the option of the thesis, then further options as they were given', () => {
    const spec = cluster(
      upgrade({ regretWindow: 5, key: 'X-User', percentageTransitionPerRequest: 0.5, mode: 'GRADUAL' }),
    );
    expect(JSON.stringify(spec.shownTransition)).toBe(
      '{"mode":"GRADUAL","percentageTransitionPerRequest":0.5,"regretWindow":5,"key":"X-User"}',
    );
    expect(spec.transition).toMatchObject({ regretWindowMs: 5000, bucketKey: 'x-user', percentagePerRequest: 0.5 });
  });

  test('CONCURRENT', () => {
    const options = { versions: 3, patience: 0.5, methods: ['GET'], promoteAfter: 100, responseTimeout: 2 };
    const parsed = parseCluster(upgrade({ mode: 'CONCURRENT', ...options }));
    expect(warningsOf(parsed)).toEqual([]);
    expect(parsed.ok && parsed.value).toMatchObject({
      transition: {
        versions: 3,
        patienceMs: 500,
        duplicatedMethods: ['GET'],
        promoteAfterRequests: 100,
        responseTimeoutMs: 2000,
      },
      shownTransition: { mode: 'CONCURRENT', ...options },
    });
  });

  test("the thesis's template, every option 0, is accepted: options of other modes are ignored with a warning", () => {
    const text = upgrade({ mode: 'INSTANT', sessionTimeout: 0, percentageTransitionPerRequest: 0 });
    expect(warningsOf(parseCluster(text))).toEqual([
      '"cluster.upgradeTransition.sessionTimeout" is ignored: it belongs to mode "SESSION", and the mode is "INSTANT"',
      '"cluster.upgradeTransition.percentageTransitionPerRequest" is ignored: it belongs to mode "GRADUAL", and the mode is "INSTANT"',
    ]);
    expect(cluster(text)).toMatchObject({
      transition: { sessionTimeoutS: 1800, percentagePerRequest: 1 },
      shownTransition: { mode: 'INSTANT' },
    });
  });

  const timeout = '"cluster.upgradeTransition.sessionTimeout" must be a whole number from 1 to 2147483647';
  const percent = '"cluster.upgradeTransition.percentageTransitionPerRequest" must be a number above 0, up to 100';
  const mode = '"upgradeTransition.mode" should be "INSTANT", "SESSION", "GRADUAL" or "CONCURRENT"';
  test.each([
    [{ mode: 'SESSION', sessionTimeout: 0 }, `${timeout}, not 0`],
    [{ sessionTimeout: -1 }, `${timeout}, not -1`],
    [{ sessionTimeout: 0.5 }, `${timeout}, not the number 0.5`],
    [{ sessionTimeout: '60' }, `${timeout}, not the string "60"`],
    [{ mode: 'GRADUAL', percentageTransitionPerRequest: 0 }, `${percent}, not 0`],
    [{ mode: 'GRADUAL', percentageTransitionPerRequest: 100.5 }, `${percent}, not 100.5`],
    [{ mode: 'GRADUAL', percentageTransitionPerRequest: '1' }, `${percent}, not the string "1"`],
    [{ mode: 'instant' }, `${mode}: "cluster.upgradeTransition.mode" is "instant"`],
    [{ mode: 7 }, `${mode}: "cluster.upgradeTransition.mode" is 7`],
    [{ mode: '' }, `${mode}: "cluster.upgradeTransition.mode" is ""`],
    [
      { mode: 'CONCURRENT', versions: 1 },
      '"cluster.upgradeTransition.versions" must be a whole number of at least 2, not 1',
    ],
    [
      { mode: 'CONCURRENT', promoteAfter: 0 },
      '"cluster.upgradeTransition.promoteAfter" must be a whole number of at least 1 or "never", not 0',
    ],
    [
      { verdict: { preset: 'mild' } },
      '"cluster.upgradeTransition.verdict.preset" must be "patient" or "strict", not "mild"',
    ],
    [
      { verdict: { rate: 1 } },
      '"cluster.upgradeTransition.verdict.rate" is not a known key (it is 1): known here are preset, consecutive, falseAlarm, margin, assumedRate, minRequests, divergence',
    ],
  ])('%j', (transition, line) => {
    expect(errors(upgrade(transition))).toEqual([line]);
  });
});

describe('the verdict', () => {
  const rules = (verdict: object) => cluster(upgrade({ verdict })).transition.verdict;

  test('has its defaults, and what is given is taken', () => {
    expect(rules({})).toEqual(PATIENT);
    expect(cluster(body()).transition.verdict).toEqual(PATIENT);
    const given = {
      consecutive: 3,
      falseAlarm: 0.01,
      margin: 0.1,
      assumedRate: 0.02,
      minRequests: 100,
      divergence: 0.1,
    };
    expect(rules(given)).toEqual({ preset: 'patient', ...given });
    expect(rules({ preset: 'strict' })).toEqual({ ...PATIENT, preset: 'strict' });
  });

  test.each([
    ['consecutive', 0, 'a whole number from 1 to 1000'],
    ['consecutive', 2.5, 'a whole number from 1 to 1000'],
    ['falseAlarm', 0, 'a number from 0.0001 to 0.5'],
    ['falseAlarm', 0.51, 'a number from 0.0001 to 0.5'],
    ['margin', 0, 'a number from 0.001 to 0.5'],
    ['margin', 5, 'a number from 0.001 to 0.5'],
    ['assumedRate', 0, 'a number from 0.0001 to 0.5'],
    ['assumedRate', 0.6, 'a number from 0.0001 to 0.5'],
    ['minRequests', 0, 'a whole number from 1 to 1000000'],
    ['minRequests', 1_000_001, 'a whole number from 1 to 1000000'],
    ['divergence', 0, 'a number from 0.0001 to 1, or "off"'],
    ['divergence', 2, 'a number from 0.0001 to 1, or "off"'],
  ])('%s %j is refused', (key, value, allowed) => {
    const [line] = errors(upgrade({ verdict: { [key]: value } }));
    expect(line).toMatch(`"cluster.upgradeTransition.verdict.${key}" must be ${allowed}, not `);
  });

  test('the preset strict ignores the other keys with a warning', () => {
    expect(warningsOf(parseCluster(upgrade({ verdict: { preset: 'strict', margin: 0.1 } })))).toEqual([
      '"cluster.upgradeTransition.verdict.margin" is ignored: with preset "strict" the first failure decides',
    ]);
    expect(warningsOf(parseCluster(upgrade({ verdict: { preset: 'patient', margin: 0.1 } })))).toEqual([]);
  });
});

describe('what is compared', () => {
  const compare = (given: object) => cluster(upgrade({ mode: 'CONCURRENT', compare: given })).transition.compare;

  test('has its defaults with mode CONCURRENT, and is nothing with the others', () => {
    const defaults = {
      headers: ['cache-control', 'content-encoding', 'content-type', 'location'],
      ignoreHeaders: [],
      ignoreJson: [],
      ignoreBody: [],
      sample: 0.01,
      sampleFirst: 0,
    };
    expect(cluster(upgrade({ mode: 'CONCURRENT' })).transition.compare).toEqual(defaults);
    const given = {
      ignoreJson: ['$.time'],
      ignoreBody: ['\\d+ ms'],
      headers: 'all',
      ignoreHeaders: ['X-Id'],
      sample: 1,
    };
    expect(compare(given)).toEqual({ ...given, sampleFirst: 0 });
    expect(cluster(upgrade({ mode: 'SESSION' })).transition.compare).toBeNull();
    const decides = (sample: number) =>
      cluster(upgrade({ mode: 'CONCURRENT', compare: { sample }, verdict: { divergence: 0.1 } })).transition.compare;
    expect([decides(0.1)?.sampleFirst, decides(0)?.sampleFirst]).toEqual([50, 0]);
  });

  test('is shown as it was given', () => {
    const given = { ignoreJson: ['$.time'] };
    const { shownTransition } = cluster(
      upgrade({ mode: 'CONCURRENT', compare: given, verdict: { divergence: 'off' } }),
    );
    expect(shownTransition).toEqual({ mode: 'CONCURRENT', compare: given, verdict: { divergence: 'off' } });
  });

  test.each([
    [
      { headers: 'some' },
      '"cluster.upgradeTransition.compare.headers" must be a list of names of headers, or "all", not "some"',
    ],
    [
      { ignoreHeaders: ['a b'] },
      '"cluster.upgradeTransition.compare.ignoreHeaders[0]" must be the name of a header, not "a b"',
    ],
    [
      { ignoreJson: ['time'] },
      '"cluster.upgradeTransition.compare.ignoreJson[0]" must be a JSON path like $.time or $.items[*].id, not "time"',
    ],
    [
      { ignoreBody: ['ok', '(a'] },
      '"cluster.upgradeTransition.compare.ignoreBody[1]" must be a regular expression that can be used (a "(" is not closed), not "(a"',
    ],
    [
      { ignoreBody: ['(?=a)'] },
      '"cluster.upgradeTransition.compare.ignoreBody[0]" must be a regular expression that can be used ("(?" other than "(?:" is not supported), not "(?=a)"',
    ],
    [{ sample: 1.5 }, '"cluster.upgradeTransition.compare.sample" must be a number from 0 to 1, not 1.5'],
  ])('%j', (given, line) => {
    expect(errors(upgrade({ mode: 'CONCURRENT', compare: given }))).toEqual([line]);
  });

  test('with another mode it is ignored with a warning, and so is a divergence', () => {
    const given = { mode: 'GRADUAL', compare: {}, verdict: { divergence: 0.1 } };
    expect(warningsOf(parseCluster(upgrade(given)))).toEqual([
      '"cluster.upgradeTransition.compare" is ignored: it belongs to mode "CONCURRENT", and the mode is "GRADUAL"',
      '"cluster.upgradeTransition.verdict.divergence" is ignored: it belongs to mode "CONCURRENT", and the mode is "GRADUAL"',
    ]);
    const strict = { mode: 'CONCURRENT', methods: ['GET'], verdict: { preset: 'strict', divergence: 0.1 } };
    expect(warningsOf(parseCluster(upgrade(strict)))).toEqual([]);
  });
});

test('an id is a UUID of any version, kept in lower case', () => {
  const uuid = '1DCBB083-257F-11E4-BCBC-600308A8245E';
  expect(cluster(body({ uuid })).uuid).toBe(uuid.toLowerCase());
  expect(errors(body({ uuid: `${uuid}0` }))).toEqual([`"cluster.uuid" must be a UUID, not "${uuid}0"`]);
});

test("the default of responseTimeout is the configuration's", () => {
  const parsed = parseCluster(body(), {
    responseTimeoutMs: 7,
    holdBytes: 65_536,
    holdMs: 250,
    engine: null,
    privileged: 'forbidden',
  });
  expect(parsed.ok && parsed.value.transition.responseTimeoutMs).toBe(7);
});

test('an error line is one line and not endless, whatever the value holds', () => {
  for (const version of ['\n', 'x'.repeat(100_000), '\u001b[2J\u0085', '\u2028']) {
    const [line = ''] = errors(body({ version: `${version}\n` }));
    expect(line).toMatch(/^[^\p{Cc}\u2028\u2029]*$/u);
    expect(line.length).toBeLessThan(300);
  }
  const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}\n`, 1]));
  const lines = errors(body(keys));
  expect(lines.length).toBe(50);
  expect(lines.join('')).not.toContain('\n');
});

test('a list that nobody means is refused before it is checked entry by entry', () => {
  const text = `{"cluster":{"servers":[${'1,'.repeat(10_001)}]}}`;
  expect(errors(text)).toEqual(['"cluster.servers" must have at most 10000 entries, not 10001']);
});
