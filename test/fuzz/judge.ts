/**
 * What must hold of a case, whatever was sent: each request that a server saw is one that the client sent, as it sent it, and not sent
 * twice against the write policy; each answer that the client saw is one that a server gave to that request, or the proxy's own; nothing
 * looks whole that was cut; and where nothing was broken, every request was answered.
 */
import { expect } from 'vitest';
import { field } from '../kit/messages.ts';
import { type PlayedRequest, type PlayedResponse, playResponses } from '../unit/http/replay.ts';
import type { Case } from './cases.ts';
import type { Seen, SeenAnswer, SeenArrival } from './play.ts';

const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'];

/** Statuses that the proxy answers with on its own. */
const OWN = [400, 408, 413, 414, 417, 431, 501, 502, 503, 504, 505];

export interface Circumstances {
  /** What a strict reader finds in the client's bytes. */
  readonly messages: readonly PlayedRequest[];
  /** The same of the cases before: a server may see late what a client left behind. */
  readonly earlier: readonly PlayedRequest[];
  /** How many versions may be sent one and the same write. */
  readonly versionsAtOnce: number;
}

export function judge(played: Case, seen: Seen, { messages, earlier, versionsAtOnce }: Circumstances): void {
  const sent = [...earlier, ...messages];
  for (const arrival of seen.arrivals) judgeArrival(arrival, sent);
  judgeWrites(seen.arrivals, sent, versionsAtOnce);
  expect(seen.answers.length, 'answers').toBeLessThanOrEqual(messages.length + 1);
  for (const [index, answer] of seen.answers.entries()) judgeAnswer(answer, messages[index], { played, seen });
  if (isUnbroken(played, seen)) {
    expect(seen.answers.length, 'answers to requests of which none was broken').toBe(messages.length);
    expect(
      seen.answers.every(({ isWhole }) => isWhole),
      'they are whole',
    ).toBe(true);
  }
}

function judgeArrival({ head, body }: SeenArrival, messages: readonly PlayedRequest[]): void {
  const same = messages.filter(({ method, forwardTarget }) => method === head.method && forwardTarget === head.target);
  expect(same.length, `the client sent ${head.startLine}`).toBeGreaterThan(0);
  if (body === null) return;
  const text = body.toString('latin1');
  expect(
    same.some((message) => message.whole && message.body === text),
    `the client sent this body of ${head.startLine}`,
  ).toBe(true);
}

function judgeWrites(
  arrivals: readonly SeenArrival[],
  messages: readonly PlayedRequest[],
  versionsAtOnce: number,
): void {
  for (const { head } of arrivals) {
    if (IDEMPOTENT.includes(head.method) || field(head, 'idempotency-key') !== undefined) continue;
    const isSame = (method: string, target: string) => method === head.method && target === head.target;
    const sent = messages.filter(({ method, forwardTarget }) => isSame(method, forwardTarget)).length;
    const times = arrivals.filter((other) => isSame(other.head.method, other.head.target)).length;
    expect(times, `how often ${head.startLine} reached a server`).toBeLessThanOrEqual(sent * versionsAtOnce);
  }
}

function judgeAnswer(
  answer: SeenAnswer,
  message: PlayedRequest | undefined,
  { played, seen }: { readonly played: Case; readonly seen: Seen },
): void {
  const { head, body, isWhole } = answer;
  if (isOwn(answer, message === undefined && played.client.text.includes('HEAD '))) {
    expect(isUnbroken(played, seen), `the proxy's own ${head.status}, though nothing was broken`).toBe(false);
    return;
  }
  if (message === undefined) expect.fail(`an answer ${head.startLine} to no request`);
  const given = seen.arrivals
    .filter((arrival) => arrival.head.method === message.method && arrival.head.target === message.forwardTarget)
    .map((arrival) => finalOf(arrival))
    .filter((final) => final !== undefined);
  const isGiven = given.some((final) => {
    if (final.status !== head.status || (isWhole && !final.whole)) return false;
    const text = body.toString('latin1');
    return isWhole ? final.body === text : final.body.startsWith(text);
  });
  expect(
    isGiven,
    `a server answered ${message.method} ${message.target} with ${head.startLine} and ${body.length} bytes`,
  ).toBe(true);
}

/** What a strict reader finds in what the server sent. */
function finalOf({ head, answer }: SeenArrival): PlayedResponse | undefined {
  const text = head.method === 'HEAD' ? answer.head : answer.head + answer.body;
  const end = answer.after === 'closes' ? 'closes' : 'stays';
  const { messages } = playResponses(text, { methods: [head.method], end });
  return messages.find(({ status }) => status >= 200);
}

/** @param maybeToHead to a request that was refused and may have been a HEAD: then there is no body, though a length is told */
function isOwn({ head, body, isWhole }: SeenAnswer, maybeToHead: boolean): boolean {
  if (!OWN.includes(head.status) || field(head, 'x-answer') !== undefined) return false;
  if (field(head, 'content-type') !== 'text/plain; charset=utf-8') return false;
  if (!isWhole) return maybeToHead && body.length === 0;
  return /^([ -~]+\n)?$/.test(body.toString('latin1'));
}

/** The client sent what is valid to its end, and every answer that was begun was valid and came whole. */
function isUnbroken({ client }: Case, { arrivals }: Seen): boolean {
  return !client.isDamaged && client.end !== 'resets' && arrivals.every(({ answer }) => answer.isClean);
}
