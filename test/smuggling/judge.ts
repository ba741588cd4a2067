/** Sends one case and judges it: by what reached a server, by what the client was answered, and by the next client's luck. */
import { IncompleteError } from '../kit/byte-source.ts';
import { connectTo, type RawClient } from '../kit/raw-client.ts';
import type { Case } from './case.ts';
import type { Recorder } from './recorder.ts';

export interface Rig {
  readonly port: number;
  /** All servers that may be asked: what a case does to any of them counts. */
  readonly recorders: readonly Recorder[];
  /** `fails`: a version that fails is there too, so that a request may fail with 502, but do nothing else. */
  readonly versions: 'answer' | 'fail';
  /** `all`: each request goes to all recorders, and the answers of some may still be on their way. */
  readonly asks: 'one' | 'all';
}

/** What is wrong, one line each; none when all is as it has to be. */
export async function judge(rig: Rig, one: Case): Promise<readonly string[]> {
  for (const recorder of rig.recorders) recorder.clear();
  const complaints: string[] = [];
  const client = await connectTo(rig.port);
  client.socket.on('error', () => {});
  client.send(one.bytes);
  if (one.after === 'cut') client.end();
  const wanted = one.answers.filter((answer) => typeof answer === 'string');
  try {
    for (const answer of one.answers) complaints.push(...(await judgeAnswer(rig, client, answer)));
    if (one.after === 'goes on') {
      complaints.push(...(await stillInStep(client)));
      wanted.push('GET /still ');
    } else {
      const { bytes } = await client.closed();
      const rest = bytes.toString('latin1');
      if (one.after === 'ends' && rest !== '') complaints.push(`after the last answer came ${JSON.stringify(rest)}`);
      if (one.after === 'cut' && !/^(HTTP\/1\.1 [45]|$)/.test(rest))
        complaints.push(`the client was answered ${JSON.stringify(rest)}`);
    }
  } catch (error) {
    complaints.push(error instanceof Error ? error.message : String(error));
  }
  client.socket.destroy();
  complaints.push(...(await victim(rig)));
  wanted.push('GET /victim ');
  if (rig.asks === 'all') await Promise.all(rig.recorders.map((recorder) => recorder.count(wanted.length)));
  complaints.push(...rig.recorders.flatMap((recorder) => strangers(rig, recorder.messages, wanted)));
  return complaints.map((complaint) => `${one.name}: ${complaint}`);
}

async function judgeAnswer(rig: Rig, client: RawClient, wanted: string | number): Promise<readonly string[]> {
  const method = typeof wanted === 'string' ? wanted.slice(0, wanted.indexOf(' ')) : 'GET';
  const { status, text } = await client.answer(method);
  if (typeof wanted === 'number') return status === wanted ? [] : [`status ${status}, wanted ${wanted}`];
  if (rig.versions === 'fail' && status === 502) return [];
  if (status === 200 && text === wanted) return [];
  return [`answer ${status} ${JSON.stringify(text)}, wanted ${JSON.stringify(wanted)}`];
}

/** One more request on the same connection gets its own answer. */
async function stillInStep(client: RawClient): Promise<readonly string[]> {
  client.send('GET /still HTTP/1.1\r\nHost: a\r\n\r\n');
  const { status, text } = await client.answer();
  return status === 200 && text === 'GET /still '
    ? []
    : [`the next request was answered ${status} ${JSON.stringify(text)}`];
}

/** Somebody else's request, on a connection of its own, gets its own answer. */
async function victim(rig: Rig): Promise<readonly string[]> {
  const client = await connectTo(rig.port);
  client.send('GET /victim HTTP/1.1\r\nHost: a\r\n\r\n');
  try {
    const { status, text } = await client.answer();
    return status === 200 && text === 'GET /victim '
      ? []
      : [`the next client was answered ${status} ${JSON.stringify(text)}`];
  } catch (error) {
    if (!(error instanceof IncompleteError)) throw error;
    return [`the next client was not answered: ${error.message}`];
  } finally {
    client.socket.destroy();
  }
}

/** With one server that answers, exactly what is wanted has arrived, in order; with more, nothing else, and nothing twice. */
function strangers(rig: Rig, messages: readonly string[], wanted: readonly string[]): readonly string[] {
  if (rig.recorders.length === 1 && rig.versions === 'answer') {
    const same = messages.length === wanted.length && messages.every((message, index) => message === wanted[index]);
    return same ? [] : [`the server got ${JSON.stringify(messages)}, wanted ${JSON.stringify(wanted)}`];
  }
  const left = [...wanted];
  return messages.flatMap((message) => {
    const at = left.indexOf(message);
    if (at >= 0) left.splice(at, 1);
    return at >= 0 ? [] : [`a server got ${JSON.stringify(message)}`];
  });
}
