import { describe, expect, test } from 'vitest';
import { CLEAR, drawn, showsLiveLines } from '../../../src/system/live-lines.ts';
import { createDestination } from '../../../src/system/log-destination.ts';
import { LogTerminal } from '../../../src/system/log-terminal.ts';
import { screenOf } from '../../kit/screen.ts';

describe('lines that change', () => {
  test('take the place of those before, whatever their number', () => {
    const text = `before\n${drawn(['a 1', 'b 1', 'c 1'], 80)}${drawn(['a 2'], 80)}${drawn(['a 3', 'b 3'], 80)}`;
    expect(screenOf(text)).toEqual(['before', 'a 3', 'b 3']);
    expect(screenOf(`${text}${CLEAR}after\n`)).toEqual(['before', 'after', '']);
  });

  test('give way to what another process writes', () => {
    const foreign = 'ERROR another process has something to say\n';
    const text = `${drawn(['a 1', 'b 1'], 80)}${foreign}${drawn(['a 2', 'b 2'], 80)}`;
    expect(screenOf(text)).toEqual([foreign.trimEnd(), 'a 2', 'b 2']);
  });

  test('are no wider than the terminal', () => {
    expect(screenOf(drawn(['1234567890'], 8))).toEqual(['1234567']);
  });
});

test.each([
  [{ isTTY: true }, { TERM: 'xterm' }, true],
  [{ isTTY: false }, { TERM: 'xterm' }, false],
  [{}, { TERM: 'xterm' }, false],
  [{ isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' }, false],
  [{ isTTY: true }, { TERM: 'xterm', NO_COLOR: '' }, true],
  [{ isTTY: true }, { TERM: 'dumb' }, false],
  [{ isTTY: true }, {}, false],
])('%j with %j: %s', (stream, env, shows) => {
  expect(showsLiveLines(stream, env)).toBe(shows);
});

describe('a log with lines that change below it', () => {
  function terminal() {
    let written = '';
    const destination = createDestination((bytes) => {
      written += Buffer.from(bytes).toString();
      return bytes.length;
    });
    const log = new LogTerminal(destination, () => 80);
    const screen = () => {
      destination.flush();
      return screenOf(written);
    };
    return { log, screen, written: () => written };
  }

  test('has its lines above them, and at the end nothing of them', () => {
    const { log, screen } = terminal();
    log.show(['pulling']);
    log.write('one\ntwo\n');
    expect(screen()).toEqual(['one', 'two', 'pulling']);
    log.show(['pulling', '  bar']);
    log.write('three\n');
    expect(screen()).toEqual(['one', 'two', 'three', 'pulling', '  bar']);
    log.flush();
    expect(screen()).toEqual(['one', 'two', 'three', '']);
  });

  test('is as it was where nothing is shown', () => {
    const { log, written } = terminal();
    log.show([]);
    log.write('one\n');
    log.flush();
    expect(written()).toBe('one\n');
  });
});
