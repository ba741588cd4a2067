/**
 * Answers that want to be understood in two ways, or break off: a client is never given a part that looks whole, nor what
 * was meant for another, also while the server's version is on trial and its answers are held back.
 */
import { describe, expect, test } from 'vitest';
import { IncompleteError } from '../kit/byte-source.ts';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { type Answer, connectTo, type RawClient, type RequestText, requestText } from '../kit/raw-client.ts';
import { answers, responseText, type Script, startServer } from '../kit/scripted-server.ts';
import { type AnswerCase, answerCases } from './corpus/answers.ts';

/** Answers the target `/case/N` with case N, and each other one with its own target. */
const misbehaves: Script = async (arrival) => {
  await arrival.body();
  const [, index] = /^\/case\/(\d+)$/.exec(arrival.head.target) ?? [];
  if (index === undefined) return arrival.send(responseText(200, arrival.head.target));
  const { bytes, afterwards } = answerCases[Number(index)] as AnswerCase;
  // Written on its own, so that the last byte has left before the connection is broken.
  await new Promise((resolve) => arrival.socket.write(Buffer.from(bytes, 'latin1'), resolve));
  if (afterwards === 'closes') arrival.socket.end();
  if (afterwards !== 'resets') return undefined;
  // What the proxy has passed on shows that it has read it; a reset would destroy what it has not.
  if (arrival.field('x-held') === undefined) await passedOn[Number(index)]?.promise;
  return arrival.socket.resetAndDestroy();
};

const passedOn = answerCases.map(() => Promise.withResolvers<void>());

async function ask(client: RawClient, request: RequestText): Promise<Answer | 'cut'> {
  const { method, target = '' } = request;
  client.send(requestText(request));
  try {
    const head = await client.head(method);
    if (head.status < 200) return await client.answer(method);
    const body = client.body(head);
    if (/^\/case/.test(target)) passedOn[Number(target.slice(6))]?.resolve();
    const { bytes, trailers } = await body;
    return { ...head, body: bytes, text: bytes.toString('latin1'), trailers, interim: [] };
  } catch (error) {
    if (error instanceof IncompleteError) return 'cut';
    throw error;
  }
}

type Gives = (one: AnswerCase) => AnswerCase['gives'];

async function complaintsOf(
  port: number,
  gives: Gives,
  fields: RequestText['fields'] = [],
): Promise<readonly string[]> {
  const complaints: string[] = [];
  for (const [index, one] of answerCases.entries()) {
    const client = await connectTo(port);
    client.socket.on('error', () => {});
    const wanted = gives(one);
    const answer = await ask(client, { method: one.method, target: `/case/${index}`, fields });
    const got = answer === 'cut' ? answer : { status: answer.status, text: answer.text };
    if (JSON.stringify(got) !== JSON.stringify(wanted))
      complaints.push(`${one.name}: the client got ${JSON.stringify(got)}`);
    if (answer !== 'cut' && answer.trailers.length > 0) complaints.push(`${one.name}: the client got trailers`);
    // The next request of this client, unless its connection had to end, and one of another client.
    const others = [await connectTo(port), ...(answer === 'cut' ? [] : [client])];
    for (const [number, other] of others.entries()) {
      const target = `/other/${index}/${number}`;
      const next = await ask(other, { target });
      if (next === 'cut' || next.text !== target)
        complaints.push(`${one.name}: another request got ${JSON.stringify(next)}`);
      other.socket.destroy();
    }
    client.socket.destroy();
  }
  return complaints;
}

describe('answers of a server', () => {
  test('are passed on whole, seen to be cut, or replaced by a 502', async () => {
    const proxy = await startProxy(cluster('1', [await startServer(misbehaves)]));
    expect(await complaintsOf(proxy.port, ({ gives }) => gives)).toEqual([]);
  });

  test.for(['INSTANT', 'CONCURRENT'])(
    'of a version on trial are replaced by those of an older one, when they are not whole: %s',
    async (mode) => {
      const old = await startServer(async (arrival) => {
        const isOther = arrival.head.target.startsWith('/other');
        await answers(isOther ? arrival.head.target : 'old')(arrival);
      });
      const proxy = await startProxy(cluster('1', [old]));
      const patient = { consecutive: 1000, minRequests: 1_000_000 };
      const next = cluster('2', [await startServer(misbehaves)], {
        mode,
        replay: { holdTime: 3600 },
        verdict: patient,
      });
      await proxy.put(next);
      const isBad = ({ gives }: AnswerCase) => gives === 'cut' || gives.status === 502;
      const ofOld = ({ method }: AnswerCase) => ({ status: 200, text: method === 'HEAD' ? '' : 'old' });
      const gives: Gives = (one) => (isBad(one) ? ofOld(one) : one.gives);
      expect(await complaintsOf(proxy.port, gives, [['X-Held', 'yes']])).toEqual([]);
    },
  );
});
