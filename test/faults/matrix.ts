/**
 * The fault matrix: what a new version does wrong, and what must come of it. The test checks Cutover against this table
 * in each mode; `scripts/fault-table.ts` measures Cutover and other proxies by the same rows and writes
 * `docs/reliability.md`.
 */
import type { Mode } from '../../src/core/config/model.ts';

/** What one server does, from the moment at which it begins to misbehave. */
export type Fault =
  | 'none'
  | 'refuses' // stops listening, closes its idle connections
  | 'stands still' // SIGSTOP: the kernel accepts, nobody reads
  | 'is killed' // kill -9
  | 'resets on accept'
  | 'resets' // reads the request, then resets
  | 'closes' // reads the request, then closes without a byte
  | 'junk' // answers with what is no HTTP
  | '500'
  | '502 every third'
  | 'hangs' // reads the request and never answers
  | 'dies after the head'
  | 'dies in the body' // Content-Length, half the body, then the end of the connection
  | 'dies in a chunk' // the same with chunked framing
  | 'stalls in the body' // half the body, and then nothing more
  | 'conflicting lengths'
  | 'drips' // the right answer, in twenty pieces 50 ms apart
  | 'fails POST' // resets POST only
  | 'never up'; // nothing listens

/** What the write policy may keep a proxy from hiding, so that the client sees it. */
export type Forbidden =
  | 'nothing'
  | 'POST' // a POST that may have reached a server is not sent twice
  | 'POST and begun'; // nor is an answer taken back that had begun: larger than what is held, or slower

export interface Expected {
  /** `whole`: no request fails but for what the policy forbids. `error`: nobody can answer, and each request is told so at once. */
  readonly answers: 'whole' | 'error';
  readonly forbidden: Forbidden;
  readonly fate: 'rolled back' | 'kept';
}

export interface Row {
  readonly name: string;
  /** One entry per server of the new version. */
  readonly candidate: readonly Fault[];
  /** One entry per server of the older version. */
  readonly older: readonly Fault[];
  /** Requests that the new version serves well before its fault begins. */
  readonly healthyRequests: number;
  /** Bytes of the answers to GET. */
  readonly sizes: readonly number[];
  /** POSTs among ten requests. */
  readonly posts: number;
  readonly expected: Expected;
  /** CONCURRENT sends a POST to the older version as well, so that its answer stands in for a failed one. */
  readonly inConcurrent?: Partial<Expected>;
}

const SMALL_AND_MIDDLE = [40, 20_000];
/** The largest is more than is held back of an answer (`replay.holdBytes`, 64 KiB). */
const WITH_LARGE = [40, 20_000, 200_000];
const USUAL = { older: ['none'], healthyRequests: 0, sizes: SMALL_AND_MIDDLE, posts: 1 } as const;

const ROLLED_BACK = { answers: 'whole', forbidden: 'POST', fate: 'rolled back' } as const;
const KEPT = { answers: 'whole', forbidden: 'POST', fate: 'kept' } as const;
const POST_TOO = { forbidden: 'nothing' } as const;

function bad(name: string, fault: Fault, healthyRequests = 0): Row {
  const row = { ...USUAL, name, candidate: [fault], healthyRequests };
  return { ...row, expected: ROLLED_BACK, inConcurrent: POST_TOO };
}

export const MATRIX: readonly Row[] = [
  bad('refuses under load', 'refuses', 40),
  bad('blackhole: accepted, never read', 'stands still', 40),
  bad('process killed under load', 'is killed', 40),
  bad('accepts and resets', 'resets on accept'),
  bad('reads and resets', 'resets'),
  bad('closes without an answer', 'closes'),
  bad('answers junk', 'junk'),
  bad('500 always', '500'),
  bad('502 every third', '502 every third'),
  bad('hangs', 'hangs'),
  bad('dies after the head', 'dies after the head'),
  {
    ...bad('dies in the body, Content-Length', 'dies in the body'),
    sizes: WITH_LARGE,
    expected: { ...ROLLED_BACK, forbidden: 'POST and begun' },
    inConcurrent: {},
  },
  {
    ...bad('dies in the body, chunked', 'dies in a chunk'),
    sizes: WITH_LARGE,
    expected: { ...ROLLED_BACK, forbidden: 'POST and begun' },
    inConcurrent: {},
  },
  {
    ...bad('stalls in the body', 'stalls in the body'),
    expected: { ...ROLLED_BACK, forbidden: 'POST and begun' },
    inConcurrent: {},
  },
  bad('conflicting lengths', 'conflicting lengths'),
  { ...USUAL, name: 'slow drip', candidate: ['drips'], expected: { ...KEPT, forbidden: 'nothing' } },
  {
    ...USUAL,
    name: 'one server of three answers 500',
    candidate: ['500', 'none', 'none'],
    expected: KEPT,
    inConcurrent: POST_TOO,
  },
  {
    ...USUAL,
    name: 'one server of three refuses',
    candidate: ['refuses', 'none', 'none'],
    healthyRequests: 10,
    expected: KEPT,
    inConcurrent: POST_TOO,
  },
  { ...bad('all three servers reset', 'resets'), candidate: ['resets', 'resets', 'resets'] },
  {
    ...USUAL,
    name: 'both versions answer 500',
    candidate: ['500'],
    older: ['500'],
    expected: { answers: 'error', forbidden: 'nothing', fate: 'kept' },
  },
  {
    ...USUAL,
    name: 'both versions reset',
    candidate: ['resets'],
    older: ['resets'],
    expected: { answers: 'error', forbidden: 'nothing', fate: 'kept' },
  },
  {
    ...USUAL,
    name: 'never up',
    candidate: ['never up'],
    expected: { answers: 'whole', forbidden: 'nothing', fate: 'rolled back' },
  },
  { ...bad('fails POST only', 'fails POST'), posts: 3 },
];

/** What must come of a row in a mode. */
export function expectedIn(mode: Mode, row: Row): Expected {
  return mode === 'CONCURRENT' ? { ...row.expected, ...row.inConcurrent } : row.expected;
}
