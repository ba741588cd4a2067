/** Holds our reading of some bytes against Node's, and against our own of the same bytes in pieces. */
import { expect } from 'vitest';
import { nodeRequests, nodeResponse } from './node-parser.ts';
import { type Cuts, playRequests, playResponses } from './replay.ts';

/** Throws when a request that both accept is not the same, or one of them sees a request where the other does not. */
export async function requestsAgree(text: string, cuts: Cuts): Promise<void> {
  const ours = playRequests(text);
  expect(playRequests(text, cuts), 'in pieces').toEqual(ours);
  const whole = ours.messages.filter((message) => message.whole);
  const node = await nodeRequests(text);
  const both = Math.min(whole.length, node.messages.length);
  expect(whole.slice(0, both).map(({ method, target, body }) => ({ method, target, body }))).toEqual(
    node.messages.slice(0, both),
  );
  // Once a reading has stopped, by refusing, by closing or at an offer to upgrade, it cannot say what follows.
  const goesOn = whole.every(({ keepAlive, fields }) => keepAlive && !fields.some((line) => /^upgrade:/i.test(line)));
  if (ours.error === '' && ours.left === 0 && goesOn && !node.refused)
    expect(node.messages.length, 'how many requests Node finds').toBe(whole.length);
}

/** Throws when an answer that both accept is not the same. */
export async function responseAgrees(text: string, method: string, cuts: Cuts): Promise<void> {
  const options = { methods: [method], end: 'closes' } as const;
  const ours = playResponses(text, options);
  expect(playResponses(text, { ...options, cuts }), 'in pieces').toEqual(ours);
  const last = ours.messages.at(-1);
  if (last === undefined || !last.whole || last.status < 200) return;
  const node = await nodeResponse(text, method);
  // Node takes a tab behind `chunked` for a part of the word; it is white space (RFC 9110 section 5.6.3).
  if (node !== null && !/^transfer-encoding:[^\r\n]*\t[ \t]*$/im.test(text))
    expect({ status: last.status, body: last.body }).toEqual(node);
}
