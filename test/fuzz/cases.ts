/** What one case of the proxy's fuzz does: a client's bytes and how it sends them, and what servers answer. All of it is plain data. */
import type { Chance } from '../kit/chance.ts';
import { requests } from '../unit/http/corpus.ts';
import { cutsOf, damaged } from './damage.ts';

export interface Case {
  readonly client: {
    /** Latin1. */
    readonly text: string;
    /** Where it is cut into pieces that are sent one by one. */
    readonly cuts: readonly number[];
    /** `resets` in the middle, at the last cut. */
    readonly end: 'half-closes' | 'stays' | 'resets';
    readonly isDamaged: boolean;
  };
  /** For the requests in the order in which they arrive at any server, again from the first when there are more. */
  readonly answers: readonly ServerAnswer[];
}

export interface ServerAnswer {
  readonly head: string;
  /** Not sent to HEAD. */
  readonly body: string;
  readonly cuts: readonly number[];
  /** When it is begun. */
  readonly at: 'head' | 'end';
  readonly after: 'stays' | 'closes' | 'resets';
  /** Valid, sent whole and in its time: it has to reach the client. */
  readonly isClean: boolean;
}

const METHODS = ['GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
const FIELDS = [
  'Accept: */*',
  'Cookie: dynsoftup=x; a=b',
  'X-Empty:',
  'Accept-Encoding: gzip',
  'TE: trailers',
  'Idempotency-Key: k',
];
const STATUSES = [200, 200, 200, 201, 204, 304, 404, 500, 503];

/** @param id of this case alone; it stands in each request and answer */
export function drawCase(id: string, chance: Chance): Case {
  const isDamaged = chance.hits(0.5);
  const valid = Array.from({ length: 1 + chance.below(3) }, (_, index) => request(`${id}-${index}`, chance)).join('');
  const text = isDamaged ? damaged(valid, requests, chance) : valid;
  const end = chance.weighed({ 'half-closes': 6, stays: isDamaged ? 0 : 3, resets: isDamaged ? 0 : 1 });
  const count = 6;
  const answers = Array.from({ length: count }, (_, index) => answer(`${id}-${index}`, chance));
  return { client: { text, cuts: cutsOf(text, chance), end, isDamaged }, answers };
}

function request(id: string, chance: Chance): string {
  const method = chance.pick(METHODS);
  const minor = chance.hits(0.1) ? 0 : 1;
  const lines = ['Host: app.example', ...some(FIELDS, chance)];
  if (chance.hits(0.1)) lines.push('Connection: close');
  if (minor === 0 && chance.hits(0.5)) lines.push('Connection: keep-alive');
  const target = chance.hits(0.1) ? `http://app.example/${id}` : `/${id}?q=${chance.below(9)}`;
  const hasBody = method !== 'GET' && method !== 'HEAD' && chance.hits(0.7);
  const framed = hasBody
    ? body(chance, minor === 0 ? 'length' : chance.pick(['length', 'chunked']))
    : { lines: [], text: '' };
  if (hasBody && minor === 1 && chance.hits(0.1)) lines.push('Expect: 100-continue');
  const head = [`${method} ${target} HTTP/1.${minor}`, ...lines, ...framed.lines].join('\r\n');
  return `${head}\r\n\r\n${framed.text}`;
}

function answer(id: string, chance: Chance): ServerAnswer {
  const status = chance.pick(STATUSES);
  const bodiless = status === 204 || status === 304;
  const framing = bodiless ? 'none' : chance.pick(['length', 'length', 'chunked', 'close'] as const);
  const framed = framing === 'none' ? { lines: [], text: '' } : body(chance, framing);
  const interim = chance.hits(0.1) ? 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' : '';
  const lines = [
    `X-Answer: ${id}`,
    ...some(['Date: now', 'Set-Cookie: a=b', 'Connection: close', 'X-Empty:'], chance),
    ...framed.lines,
  ];
  const head = `${interim}HTTP/1.1 ${status} Some Reason\r\n${lines.join('\r\n')}\r\n\r\n`;
  const at = chance.hits(0.1) ? 'head' : 'end';
  const closes = framing === 'close' || lines.includes('Connection: close');
  const whole = { head, body: framed.text, cuts: cutsOf(head + framed.text, chance), at } as const;
  const fault = chance.weighed({ none: 85, damaged: 8, cut: 5, reset: 2 });
  if (fault === 'none') return { ...whole, after: closes ? 'closes' : 'stays', isClean: at === 'end' };
  const text = head + framed.text;
  const broken = fault === 'damaged' ? damaged(text, requests, chance) : text.slice(0, chance.below(text.length));
  return { ...whole, head: broken, body: '', after: fault === 'reset' ? 'resets' : 'closes', isClean: false };
}

function body(
  chance: Chance,
  framing: 'length' | 'chunked' | 'close',
): { readonly lines: readonly string[]; readonly text: string } {
  const pieces = Array.from({ length: chance.below(4) }, () => piece(chance)).filter((text) => text !== '');
  const text = pieces.join('');
  if (framing === 'close') return { lines: [], text };
  if (framing === 'length') return { lines: [`Content-Length: ${text.length}`], text };
  const chunks = pieces.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  const trailers = chance.hits(0.2) ? 'X-Trailer: t\r\n' : '';
  return { lines: ['Transfer-Encoding: chunked'], text: `${chunks}0\r\n${trailers}\r\n` };
}

/** Of all lengths, and of what would mean something if it were taken for framing. */
function piece(chance: Chance): string {
  switch (chance.below(4)) {
    case 0:
      return chance.pick(requests);
    case 1:
      return '0\r\n\r\n';
    case 2:
      return 'x'.repeat(chance.below(70_000));
    default:
      return String.fromCharCode(...Array.from({ length: chance.below(40) }, () => chance.below(256)));
  }
}

function some<T>(list: readonly T[], chance: Chance): readonly T[] {
  return list.filter(() => chance.hits(0.2));
}
