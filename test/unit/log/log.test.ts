import { expect, test } from 'vitest';
import type { LogFormat, LogLevel } from '../../../src/core/config/model.ts';
import { createLog } from '../../../src/system/log.ts';
import type { LogDestination } from '../../../src/system/log-destination.ts';

interface Memory extends LogDestination {
  readonly lines: string[];
  lost: number;
  takes: boolean;
}

function memory(): Memory {
  const lines: string[] = [];
  return {
    lines,
    lost: 0,
    takes: true,
    write(line) {
      if (this.takes) lines.push(line);
      else this.lost += 1;
    },
    flush() {},
    dropped() {
      return this.lost;
    },
    clear() {
      return this.takes;
    },
  };
}

// 2026/11/23 09:38:28.804241 in local time, whatever zone the tests run in.
const WALL_US = new Date(2026, 10, 23, 9, 38, 28).getTime() * 1000 + 804_241;

function logTo(destination: LogDestination, level: LogLevel, format: LogFormat = 'text') {
  return createLog({ level, format, destination, wall: () => WALL_US });
}

test('a text line has the thesis form: local time with microseconds, who speaks, level, text', () => {
  const to = memory();
  logTo(to, 'INFO').write('INFO', 'exchange', 'Serving response 0 from ip: [127.0.0.1] port: [1034]', { version: '1' });
  expect(to.lines).toEqual([
    '2026/11/23 09:38:28.804241 exchange: INFO - Serving response 0 from ip: [127.0.0.1] port: [1034]\n',
  ]);
});

test('microseconds keep their leading zeros', () => {
  const to = memory();
  const wall = () => WALL_US - 804_241 + 7;
  createLog({ level: 'INFO', format: 'text', destination: to, wall }).write('INFO', 'main', 'x');
  expect(to.lines[0]).toContain('09:38:28.000007 main');
});

test('a text of several lines is kept; what could move a cursor or forge a line is spelled out', () => {
  const to = memory();
  logTo(to, 'INFO').write('NOTICE', 'main', 'a:\n{\n\t"b"\n}\r\u001b[2J\u009b');
  expect(to.lines[0]).toMatch(/ - a:\n\{\n\t"b"\n\}\\x0d\\x1b\[2J\\x9b\n$/);
});

test('a JSON line has time, level, component, message and its facts apart', () => {
  const to = memory();
  logTo(to, 'INFO', 'json').write('WARNING', 'controller', 'Removed %s {"a"}\n', { version: '1.0', count: 3 });
  expect(to.lines[0]?.endsWith('}\n')).toBe(true);
  expect(JSON.parse(to.lines[0] ?? '')).toEqual({
    level: 'warning',
    time: new Date(WALL_US / 1000).toISOString(),
    component: 'controller',
    facts: { version: '1.0', count: 3 },
    msg: 'Removed %s {"a"}\n',
  });
});

test.each([
  ['CRITICAL', ['CRITICAL']],
  ['WARNING', ['CRITICAL', 'ERROR', 'WARNING']],
  ['NOTICE', ['CRITICAL', 'ERROR', 'WARNING', 'NOTICE']],
  ['DEBUG', ['CRITICAL', 'ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG']],
] as const)('at %s exactly the levels %j are written, in both forms', (level, written) => {
  for (const format of ['text', 'json'] as const) {
    const to = memory();
    const log = logTo(to, level, format);
    for (const asked of ['CRITICAL', 'ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG'] as const) {
      log.write(asked, 'main', 'x');
      expect(log.enabled(asked)).toBe(written.some((one) => one === asked));
    }
    expect(to.lines.length).toBe(written.length);
  }
});

test('the start banner is written at every level but CRITICAL', () => {
  for (const level of ['ERROR', 'WARNING', 'CRITICAL'] as const) {
    const to = memory();
    logTo(to, level).always('NOTICE', 'main', 'banner');
    expect(to.lines.length).toBe(level === 'CRITICAL' ? 0 : 1);
  }
});

test('lost lines are told once, as soon as lines get through again', () => {
  const to = memory();
  const log = logTo(to, 'INFO');
  to.takes = false;
  for (let i = 0; i < 3; i += 1) log.write('INFO', 'main', `lost ${i}`);
  to.takes = true;
  log.write('INFO', 'main', 'one');
  log.write('INFO', 'main', 'two');
  expect(log.dropped()).toBe(3);
  expect(to.lines.map((line) => line.slice(27))).toEqual([
    'log: WARNING - 3 log lines were lost: standard error did not take them\n',
    'main: INFO - one\n',
    'main: INFO - two\n',
  ]);
});
