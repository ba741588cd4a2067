import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HEALTHY,
  type HealthEvent,
  nextHealth,
  type ServerHealth,
  SLOW_START_MS,
  takesRequests,
} from '../../../src/core/health/server-health.ts';

/** A server that a test drives: time stands still but for `pass`. */
class Driven {
  health: ServerHealth = HEALTHY;
  nowMs = 1_000;
  readonly passesNeeded: number;

  constructor(passesNeeded = 1) {
    this.passesNeeded = passesNeeded;
  }

  do(...events: readonly HealthEvent[]): this {
    for (const event of events) this.health = nextHealth(this.health, event, this);
    return this;
  }

  /** Waits until something is due, and lets it happen. */
  pass(): this {
    this.nowMs = this.health.dueMs;
    return this.do('due');
  }

  get phase(): string {
    return this.health.phase;
  }

  /** How long until the next probe. */
  get waitMs(): number {
    return this.health.dueMs - this.nowMs;
  }
}

const ejected = () => new Driven().do('refused');

describe('ejection', () => {
  test('takes three failed requests in a row; an answered or shared one begins the row anew', () => {
    for (const between of ['answered', 'shared'] as const) {
      const server = new Driven().do('failed', 'failed', between, 'failed', 'failed');
      expect(server.phase).toBe('healthy');
      expect(server.do('failed').phase).toBe('ejected');
    }
  });

  test('takes one refusal that was found again', () => {
    expect(new Driven().do('refused').phase).toBe('ejected');
  });

  test('takes three failed checks in a row, which requests neither lengthen nor break', () => {
    const server = new Driven().do('not-passed', 'not-passed', 'passed', 'not-passed', 'answered', 'not-passed');
    expect(server.phase).toBe('healthy');
    expect(server.do('failed', 'failed', 'not-passed').phase).toBe('ejected');
  });

  test('an answer that changes nothing makes no object', () => {
    expect(new Driven().do('answered', 'shared', 'passed').health).toBe(HEALTHY);
  });
});

describe('the way back', () => {
  test('a probe after 0.5 s, slow start, and after 10 s as if nothing had been', () => {
    const server = ejected();
    expect(server.waitMs).toBe(500);
    expect(server.pass().phase).toBe('probing');
    expect(server.do('passed').phase).toBe('returning');
    expect(server.waitMs).toBe(SLOW_START_MS);
    expect(server.do('answered').pass().health).toEqual(HEALTHY);
  });

  test('failed probes double the wait, up to 30 s', () => {
    const server = ejected();
    const waits: number[] = [];
    for (let n = 0; n < 8; n += 1) waits.push(server.pass().do('not-passed').waitMs);
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('with checks it takes two passed ones, half a second apart', () => {
    const server = new Driven(2).do('refused').pass().do('passed');
    expect([server.phase, server.waitMs]).toEqual(['ejected', 500]);
    expect(server.pass().do('not-passed').pass().do('passed').phase).toBe('ejected');
    expect(server.pass().do('passed').phase).toBe('returning');
  });

  test('traffic that shows it may be well brings the probe forward', () => {
    expect(ejected().do('sought').phase).toBe('probing');
    expect(new Driven().do('sought').phase).toBe('healthy');
  });
});

describe('a server that accepts connections and fails requests', () => {
  test('is ejected again by one failure before its first answer, for twice as long', () => {
    const server = ejected().pass().do('passed', 'failed');
    expect([server.phase, server.waitMs]).toEqual(['ejected', 1_000]);
    expect(server.pass().do('passed', 'failed').waitMs).toBe(2_000);
  });

  test('after an answer it takes three again, and the wait still doubles while it starts slowly', () => {
    const server = ejected().pass().do('passed', 'answered', 'failed', 'failed');
    expect(server.phase).toBe('returning');
    expect(server.do('failed').waitMs).toBe(1_000);
  });

  test('nobody asked it while it started slowly: its past is forgotten with its first answer, not before', () => {
    const server = ejected().pass().do('passed').pass();
    expect(server.phase).toBe('healthy');
    expect(new Driven().do('refused').pass().do('passed').pass().do('failed').waitMs).toBe(1_000);
    expect(server.do('answered').health).toEqual(HEALTHY);
  });
});

describe('whatever happens', () => {
  const anyEvent = fc.constantFrom<HealthEvent>(
    'answered',
    'failed',
    'shared',
    'refused',
    'passed',
    'not-passed',
    'due',
    'sought',
  );

  test('waits stay within bounds, something is due while it is ejected, and a refusal always ejects', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), fc.integer({ min: 1, max: 2 }), (events, passesNeeded) => {
        const server = new Driven(passesNeeded);
        for (const event of events) {
          const before = server.health;
          server.do(event);
          const { phase, backoffMs, dueMs, failures, checks } = server.health;
          expect(backoffMs === 0 || (backoffMs >= 500 && backoffMs <= 30_000)).toBe(true);
          expect(failures).toBeLessThan(3);
          expect(checks).toBeLessThan(3);
          expect(Number.isFinite(dueMs)).toBe(phase === 'ejected' || phase === 'returning');
          if (event === 'refused') expect(takesRequests(server.health)).toBe(false);
          if (!takesRequests(before) && takesRequests(server.health)) expect(event).toBe('passed');
          if (event === 'answered') expect(server.phase).toBe(before.phase);
        }
      }),
    );
  });

  test('it comes back once its probes pass, and is healthy again after it has answered', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        const server = new Driven().do(...events);
        for (let step = 0; step < 4; step += 1) {
          if (server.phase === 'ejected') server.pass();
          if (server.phase === 'probing') server.do('passed');
          server.do('answered');
          if (server.phase === 'returning') server.pass();
        }
        expect(server.do('passed', 'answered').health).toEqual(HEALTHY);
      }),
    );
  });
});
