/** Plays a case: a client that sends its bytes to the proxy, and servers that answer as the case says. What was seen is written down. */
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { ByteSource, IncompleteError } from '../kit/byte-source.ts';
import { type Field, type RequestHead, type ResponseHead, readBody, readResponseHead } from '../kit/messages.ts';
import type { Arrival, ScriptedServer } from '../kit/scripted-server.ts';
import type { PlayedRequest } from '../unit/http/replay.ts';
import type { Case, ServerAnswer } from './cases.ts';

export interface Seen {
  readonly arrivals: readonly SeenArrival[];
  readonly answers: readonly SeenAnswer[];
  /** How the proxy left the client's connection; null where the client reset it. */
  readonly ended: 'fin' | 'reset' | null;
}

export interface SeenArrival {
  readonly head: RequestHead;
  /** Null: the request was cut. */
  body: Buffer | null;
  readonly trailers: readonly Field[];
  readonly answer: ServerAnswer;
}

export interface SeenAnswer {
  readonly head: ResponseHead;
  readonly body: Buffer;
  readonly isWhole: boolean;
}

/** What no case may take longer than, on a busy machine either. A valid one needs none of the proxy's time-outs to end. */
const LIMIT_MS = 30_000;

/** @param messages what the client's bytes say, as a strict reader sees them */
export async function play(
  port: number,
  servers: readonly ScriptedServer[],
  played: Case,
  messages: readonly PlayedRequest[],
): Promise<Seen> {
  const arrivals: SeenArrival[] = [];
  for (const server of servers) server.script = (arrival) => answerAs(played, arrivals, arrival);
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  const source = new ByteSource(socket);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not over after ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  });
  try {
    const reading = read(source, played, messages);
    const [read_] = await Promise.race([Promise.all([reading, send(source, played)]), late]);
    return { arrivals, ...read_ };
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

async function send({ socket }: ByteSource, { client: { text, cuts, end } }: Case): Promise<void> {
  const bytes = Buffer.from(text, 'latin1');
  const ends = end === 'resets' ? cuts : [...cuts, bytes.length];
  let from = 0;
  for (const to of ends) {
    if (socket.destroyed) return;
    socket.write(bytes.subarray(from, to));
    from = to;
    await turn();
  }
  if (end === 'half-closes') socket.end();
  if (end === 'resets') socket.resetAndDestroy();
}

/** All answers to the end of the connection; a client that stays leaves when the last one is there. */
async function read(
  source: ByteSource,
  { client: { end } }: Case,
  messages: readonly PlayedRequest[],
): Promise<Pick<Seen, 'answers' | 'ended'>> {
  const answers: SeenAnswer[] = [];
  for (;;) {
    if (end === 'stays' && answers.length === messages.length) source.socket.end();
    try {
      const head = await readResponseHead(source, messages[answers.length]?.method ?? 'GET');
      if (head.status < 200) continue;
      try {
        answers.push({ head, body: (await readBody(source, head)).bytes, isWhole: true });
      } catch (error) {
        if (!(error instanceof IncompleteError)) throw error;
        answers.push({ head, body: error.partial, isWhole: false });
      }
    } catch (error) {
      if (!(error instanceof IncompleteError)) throw error;
      if (end === 'resets') return { answers, ended: null };
      return { answers, ended: source.ended ? 'fin' : 'reset' };
    }
  }
}

async function answerAs({ answers }: Case, arrivals: SeenArrival[], arrival: Arrival): Promise<void> {
  const answer = answers[arrivals.length % answers.length] as ServerAnswer;
  const seen: SeenArrival = { head: arrival.head, body: null, trailers: [], answer };
  arrivals.push(seen);
  const reading = arrival.body().then((body) => {
    seen.body = body;
  });
  // Awaited below, but perhaps only when it has long been cut.
  reading.catch(() => {});
  if (answer.at === 'end') await reading;
  const text = arrival.head.method === 'HEAD' ? answer.head : answer.head + answer.body;
  let from = 0;
  for (const to of [...answer.cuts.filter((cut) => cut < text.length), text.length]) {
    arrival.send(text.slice(from, to));
    from = to;
    await turn();
  }
  if (answer.after === 'closes') arrival.socket.end();
  if (answer.after === 'resets') arrival.socket.resetAndDestroy();
  await reading;
}
